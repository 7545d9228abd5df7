"""What a worker reports while it waits for Kafka."""

import socket

import httpx
import pytest

from lab.free_ports import free
from stack.ports import HOST
from streams.runtime import waiting
from streams.runtime.waiting import PortTaken, WaitingPages


def asked(port: int, page: str) -> tuple[int, object]:
    answer = httpx.get(f"http://{HOST}:{port}/health/{page}", trust_env=False)
    return answer.status_code, answer.json()


def test_it_lives_and_is_not_ready_and_says_for_what_it_waits() -> None:
    [port] = free(1)
    with WaitingPages(HOST, port) as page:
        page.report("missing: a")
        page.report("missing: b")
        assert asked(port, "live") == (200, {"status": "waiting for Kafka"})
        assert asked(port, "ready") == (503, {"status": "waiting for Kafka: missing: b"})


def test_a_client_that_asks_nothing_does_not_keep_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting._Pages, "timeout", 0.05)
    [port] = free(1)
    with WaitingPages(HOST, port) as page:
        page.report("missing: a")
        with socket.create_connection((HOST, port)):
            assert asked(port, "live")[0] == 200


def test_the_port_is_free_for_the_worker_itself_afterwards() -> None:
    [port] = free(1)
    with WaitingPages(HOST, port) as page:
        page.report("missing: a")
        asked(port, "live")
    socket.create_server((HOST, port)).close()


def test_a_port_that_somebody_has_is_named_with_its_setting() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} \(TURNSTILE_WORKER_PORT\)"):
            WaitingPages(HOST, port).report("missing: a")


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="NOT TESTED: this machine has no IPv6")
def test_it_waits_on_an_address_of_ipv6_too() -> None:
    [port] = free(1)
    with WaitingPages("::1", port) as page:
        page.report("missing: a")
        socket.create_connection(("::1", port)).close()


def test_a_reason_is_logged_once_and_again_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    [port] = free(1)
    with WaitingPages(HOST, port) as page:
        for problem in ("missing: a", "missing: a", "missing: b", "missing: b"):
            page.report(problem)
    assert [record.getMessage() for record in caplog.records] == [
        "waiting for Kafka: missing: a",
        "waiting for Kafka: missing: b",
    ]


def test_a_reason_that_stays_is_logged_again_after_a_while(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter((0.0, waiting.LOG_INTERVAL_S - 1, waiting.LOG_INTERVAL_S))
    monkeypatch.setattr("streams.runtime.waiting.time.monotonic", lambda: next(times))
    page = WaitingPages(HOST, 0)
    page._serve = lambda: waiting._Server.__new__(waiting._Server)  # type: ignore[method-assign]
    for _ in range(3):
        page.report("missing: a")
    assert len(caplog.records) == 2

"""Probing ports before anything starts."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import ports
from stack.errors import PortsTaken, StackError


@pytest.fixture(autouse=True)
def claims(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of one test: each is an open file, and a process with more than a thousand can't use select() any more."""
    claims: dict[int, socket.socket | None] = {}
    monkeypatch.setattr(ports, "_claims", claims)
    yield
    give_back(claims)


def give_back(claims: dict[int, socket.socket | None]) -> None:
    for claim in claims.values():
        if claim is not None:
            claim.close()
    claims.clear()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((ports.HOST, 0)) as server:
        yield server


def test_a_taken_port_is_named_with_the_setting_that_moves_it(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(PortsTaken, match=f"^port {port} is taken: set TURNSTILE_POSTGRES_PORT$"):
        ports.check({"TURNSTILE_POSTGRES_PORT": port, "TURNSTILE_SMTP_PORT": ports.free(1)[0]})


def test_every_taken_port_is_named(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(PortsTaken) as raised:
        ports.check({"TURNSTILE_KAFKA_PORT": port, "TURNSTILE_API_PORT": port})
    assert str(raised.value).splitlines() == [
        f"port {port} is taken: set TURNSTILE_KAFKA_PORT",
        f"port {port} is taken: set TURNSTILE_API_PORT",
    ]


def test_one_port_for_two_servers_is_refused() -> None:
    port = ports.free(1)[0]
    with pytest.raises(PortsTaken, match="TURNSTILE_MAIL_PORT"):
        ports.check({"TURNSTILE_SMTP_PORT": port, "TURNSTILE_MAIL_PORT": port})


def test_free_ports_pass_and_differ() -> None:
    found = ports.free(11)
    assert len(set(found)) == 11
    ports.check({f"TURNSTILE_{port}": port for port in found})


def test_a_listener_is_seen(listener: socket.socket) -> None:
    assert ports.listens(listener.getsockname()[1])
    assert not ports.listens(ports.free(1)[0])


def test_no_client_is_given_a_port_that_is_chosen_for_a_server() -> None:
    first_of_clients = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(max(ports.free(30)) < first_of_clients for _ in range(50))


def test_runs_at_the_same_time_choose_from_a_range_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ports.RANGE_VARIABLE, "20100-20149")
    for _ in range(50):
        run = ports.free(30)
        assert min(run) >= 20_100
        assert max(run) <= 20_149
        give_back(ports._claims)


def test_what_this_process_has_chosen_is_not_chosen_again_before_a_server_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ports.RANGE_VARIABLE, "15300-15302")
    assert sorted(ports.free(1)[0] for _ in range(3)) == [15_300, 15_301, 15_302]
    monkeypatch.setattr(ports, "TRIES_MAX", 50)
    with pytest.raises(StackError, match="no 1 free ports in a row in 15300-15302"):
        ports.free(1)


def test_of_a_run_that_is_not_free_nothing_stays_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ports.RANGE_VARIABLE, "15310-15319")
    monkeypatch.setattr(ports, "TRIES_MAX", 50)
    with socket.create_server((ports.HOST, 15_314)), pytest.raises(StackError):
        ports.free(6)
    assert ports._claims == {}
    assert ports.claimed(15_315)
    with pytest.raises(StackError):
        ports.free(6)
    assert list(ports._claims) == [15_315]


# Below those that any other test chooses from.
CLAIMS = """
import sys
from stack.ports import claimed
print(all(claimed(port) for port in range(15200, 15220)), flush=True)
sys.stdin.read()
"""


def test_what_another_process_has_chosen_is_left_to_it_before_anybody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ports.RANGE_VARIABLE, "15200-15249")
    looked_at: set[int] = set()

    def look(port: int) -> bool:
        looked_at.add(port)
        return False

    monkeypatch.setattr(ports, "taken", look)
    with subprocess.Popen(
        (sys.executable, "-c", CLAIMS), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not ports.claimed(15_219)
        assert ports.free(30) == range(15_220, 15_250)
        assert min(looked_at) == 15_220
        other.communicate()
    assert ports.claimed(15_219)


def test_ports_are_chosen_without_claims_where_there_are_no_abstract_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise AssertionError("a claim")

    monkeypatch.setattr(ports, "taken", lambda _: False)
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv(ports.RANGE_VARIABLE, "15250-15279")
    assert ports.free(30) == range(15_250, 15_280)
    assert not ports.claimed(15_250)

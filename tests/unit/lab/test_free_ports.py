"""Choosing ports for a stack beside others, from ranges below the one that other tests choose from."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import free_ports
from stack.errors import StackError
from stack.ports import HOST


@pytest.fixture(autouse=True)
def claims(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of one test: each is an open file, and a process with more than a thousand can't use select() any more."""
    claims: dict[int, socket.socket | None] = {}
    monkeypatch.setattr(free_ports, "_claims", claims)
    yield
    give_back(claims)


def give_back(claims: dict[int, socket.socket | None]) -> None:
    for claim in claims.values():
        if claim is not None:
            claim.close()
    claims.clear()


def test_no_client_is_given_a_port_that_is_chosen_for_a_server() -> None:
    first_of_clients = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(max(free_ports.free(30)) < first_of_clients for _ in range(50))


def test_runs_at_the_same_time_choose_from_a_range_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(free_ports.RANGE_VARIABLE, "15320-15369")
    for _ in range(50):
        run = free_ports.free(30)
        assert min(run) >= 15_320
        assert max(run) <= 15_369
        give_back(free_ports._claims)


def test_what_this_process_has_chosen_is_not_chosen_again_before_a_server_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(free_ports.RANGE_VARIABLE, "15300-15302")
    assert sorted(free_ports.free(1)[0] for _ in range(3)) == [15_300, 15_301, 15_302]
    monkeypatch.setattr(free_ports, "TRIES_MAX", 50)
    with pytest.raises(StackError, match="no 1 free ports in a row in 15300-15302"):
        free_ports.free(1)


def test_of_a_run_that_is_not_free_nothing_stays_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(free_ports.RANGE_VARIABLE, "15310-15319")
    monkeypatch.setattr(free_ports, "TRIES_MAX", 50)
    with socket.create_server((HOST, 15_314)), pytest.raises(StackError):
        free_ports.free(6)
    assert free_ports._claims == {}
    assert free_ports.claimed(15_315)
    with pytest.raises(StackError):
        free_ports.free(6)
    assert list(free_ports._claims) == [15_315]


CLAIMS = """
import sys
from lab.free_ports import claimed
print(all(claimed(port) for port in range(15200, 15220)), flush=True)
sys.stdin.read()
"""


def test_what_another_process_has_chosen_is_left_to_it_before_anybody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(free_ports.RANGE_VARIABLE, "15200-15249")
    looked_at: set[int] = set()

    def look(port: int) -> bool:
        looked_at.add(port)
        return False

    monkeypatch.setattr(free_ports, "taken", look)
    with subprocess.Popen(
        (sys.executable, "-c", CLAIMS), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not free_ports.claimed(15_219)
        assert free_ports.free(30) == range(15_220, 15_250)
        assert min(looked_at) == 15_220
        other.communicate()
    assert free_ports.claimed(15_219)


def test_ports_are_chosen_without_claims_where_there_are_no_abstract_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise AssertionError("a claim")

    monkeypatch.setattr(free_ports, "taken", lambda _: False)
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv(free_ports.RANGE_VARIABLE, "15250-15279")
    assert free_ports.free(30) == range(15_250, 15_280)
    assert not free_ports.claimed(15_250)

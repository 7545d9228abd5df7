"""Probing ports before anything starts."""

import socket
from collections.abc import Iterator

import pytest

from lab.free_ports import free
from stack import ports
from stack.errors import PortsTaken


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((ports.HOST, 0)) as server:
        yield server


def test_a_taken_port_is_named_with_the_setting_that_moves_it(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(PortsTaken, match=f"^port {port} is taken: set TURNSTILE_POSTGRES_PORT$"):
        ports.check({"TURNSTILE_POSTGRES_PORT": port, "TURNSTILE_SMTP_PORT": free(1)[0]})


def test_every_taken_port_is_named(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(PortsTaken) as raised:
        ports.check({"TURNSTILE_KAFKA_PORT": port, "TURNSTILE_API_PORT": port})
    assert str(raised.value).splitlines() == [
        f"port {port} is taken: set TURNSTILE_KAFKA_PORT",
        f"port {port} is taken: set TURNSTILE_API_PORT",
    ]


def test_one_port_for_two_servers_is_refused() -> None:
    port = free(1)[0]
    with pytest.raises(PortsTaken, match="TURNSTILE_MAIL_PORT"):
        ports.check({"TURNSTILE_SMTP_PORT": port, "TURNSTILE_MAIL_PORT": port})


def test_free_ports_pass_and_differ() -> None:
    found = free(11)
    assert len(set(found)) == 11
    ports.check({f"TURNSTILE_{port}": port for port in found})


def test_a_listener_is_seen(listener: socket.socket) -> None:
    assert ports.listens(listener.getsockname()[1])
    assert not ports.listens(free(1)[0])

"""A connection whose answer breaks off, or that the server wants to end just now."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent import socket

from api.connection import Connection
from api.counting import ABORTED, QUICK, Answers
from api.desk import Desk
from api.plain import Plain
from api.reply import Reply
from api.steps import Steps
from tests.unit.api.test_plain import BUY, CONFIG, HERE, PEER

SOON = 0.01
log = logging.getLogger(__name__)


def steps() -> Steps[Reply]:
    yield from ()
    return Reply(200, "text/plain", {}, b"done")


def quick(request: Plain) -> Steps[Reply]:
    return steps()


def broken(request: Plain) -> Steps[Reply]:
    yield from ()
    raise KeyError("secret")


class Ends:
    """Both ends of a connection, and how often the server was told that it is closed."""

    def __init__(self) -> None:
        self.left: list[Connection] = []
        self.answers = Answers()
        self.client, served = socket.socketpair()
        self.server: Any = SimpleNamespace(
            cfg=CONFIG, alive=True, desk=Desk(), quick=quick, answers=self.answers, left=self.left.append, log=log
        )
        self.connection = Connection(self.server, served, PEER, HERE)

    def received(self) -> bytes:
        """What the client has by now."""
        self.client.settimeout(0.5)
        got: bytes = self.client.recv(1_000)
        return got


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.client.close()


def test_a_request_that_has_just_come_is_answered(ends: Ends) -> None:
    ends.client.sendall(BUY)
    ends.connection.end()
    assert ends.received().endswith(b"\r\n\r\ndone")
    assert ends.left == []


def test_the_rest_of_a_request_that_has_just_begun_is_waited_for(ends: Ends) -> None:
    ends.client.sendall(BUY[:20])
    ends.connection.end()
    assert (ends.left, ends.connection.has_begun) == ([], True)
    ends.client.sendall(BUY[20:])
    gevent.sleep(SOON)
    assert ends.received().endswith(b"\r\n\r\ndone")


def test_nothing_has_come_and_it_is_closed_once(ends: Ends) -> None:
    ends.connection.end()
    assert ends.received() == b""
    ends.connection.end()
    gevent.sleep(SOON)
    assert ends.left == [ends.connection]


def test_a_client_that_goes_meanwhile_is_let_go_once(ends: Ends) -> None:
    ends.client.close()
    ends.connection._readable()
    ends.connection.end()
    gevent.sleep(SOON)
    assert ends.left == [ends.connection]


def test_an_answer_that_breaks_off_ends_the_connection_and_is_logged(
    ends: Ends, caplog: pytest.LogCaptureFixture
) -> None:
    ends.server.quick = broken
    ends.client.sendall(BUY)
    assert ends.received() == b""
    assert (ends.left, ends.answers.in_flight) == ([ends.connection], 0)
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert dict(ends.answers.counts) == {("POST", QUICK, ABORTED): 1}


def test_who_has_gone_before_the_answer_is_counted_as_that(ends: Ends) -> None:
    ends.client.sendall(BUY)
    ends.client.close()
    gevent.sleep(SOON)
    assert (ends.left, ends.answers.in_flight) == ([ends.connection], 0)
    assert set(ends.answers.counts) == {("POST", QUICK, ABORTED)}

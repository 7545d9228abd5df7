"""Which ports are free. Nothing is started before every port of the stack has been probed."""

import random
import socket
from collections.abc import Mapping

from stack.errors import PortTaken

HOST = "127.0.0.1"
# Below those that Linux gives to clients (32768 and up): a client that tries to reach a server which is down could be
# given that server's own port, reach itself, and keep the server from coming back.
FIRST, LAST = 20_000, 32_767

_dice = random.SystemRandom()  # tests that begin with the same seed must not take the same ports


def taken(port: int) -> bool:
    """Whether a server could not listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port now."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def check(ports: Mapping[str, int]) -> None:
    """Raise PortTaken naming every port that is taken, or wanted twice, with the setting that moves it."""
    values = list(ports.values())
    bad = {setting: port for setting, port in ports.items() if taken(port) or values.count(port) > 1}
    if bad:
        raise PortTaken(bad)


def free_run(count: int) -> range:
    """So many ports in a row that nobody uses now, and that no client is given while their server is down."""
    while True:
        first = _dice.randrange(FIRST, LAST - count)
        run = range(first, first + count)
        if not any(taken(port) for port in run):
            return run


def free(count: int) -> list[int]:
    """Ports that nobody uses now, for tests that run beside another stack."""
    return list(free_run(count))

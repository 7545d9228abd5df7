"""The ports of the stack: all are probed before anything is started."""

import socket
from collections.abc import Mapping

from stack.errors import PortsTaken

HOST = "127.0.0.1"


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
    """Whether a server accepts connections on this port now."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def check(ports: Mapping[str, int]) -> None:
    """Raise PortsTaken naming every port that is taken, or wanted twice, with the setting that moves it."""
    values = list(ports.values())
    bad = {setting: port for setting, port in ports.items() if taken(port) or values.count(port) > 1}
    if bad:
        raise PortsTaken(bad)

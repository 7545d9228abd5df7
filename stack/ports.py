"""Which ports are free. Nothing is started before every port of the stack has been probed."""

import socket
from collections.abc import Mapping

from stack.errors import PortTaken

HOST = "127.0.0.1"
LAST = 65535


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
    """So many ports in a row that nobody uses now."""
    while True:
        [first] = free(1)
        run = range(first, first + count)
        if run.stop <= LAST and not any(taken(port) for port in run):
            return run


def free(count: int) -> list[int]:
    """Ports that nobody uses now, for tests that run beside another stack."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()

"""Free ports. All ports of the stack are probed before anything is started."""

import os
import random
import socket
import sys
from collections.abc import Mapping
from itertools import takewhile

from stack.errors import PortsTaken, StackError

HOST = "127.0.0.1"
# Below the ephemeral ports of Linux (32768 and up): a client of a server that is down could be given the server's own
# port, connect to itself, and block the server's restart.
FIRST_PORT, LAST_PORT = 20_000, 32_767
# Runs of tests at the same time may be given a range each: "20000-25999".
RANGE_VARIABLE = "TURNSTILE_FREE_PORTS"

_rng = random.SystemRandom()  # tests with the same seed must not take the same ports
_claims: dict[int, socket.socket | None] = {}
# Of random places.
TRIES_MAX = 10_000


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


def claimed(port: int) -> bool:
    """Claim a port for this process until it ends; False if it was chosen before, here or by another process.

    A port may be chosen long before a server listens on it: until then it is free to everybody's eyes. A claim is an
    abstract address of a Unix socket, which the kernel takes back with its process; only Linux has them, and elsewhere
    no other process sees a claim.
    """
    if port in _claims:
        return False
    claim = None
    if sys.platform == "linux":
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0turnstile-port-{port}")
        except OSError:
            claim.close()
            return False
    _claims[port] = claim
    return True


def free(count: int) -> range:
    """So many free ports in a row, none of them ephemeral, and none that was chosen before. Raises StackError."""
    told = os.environ.get(RANGE_VARIABLE, f"{FIRST_PORT}-{LAST_PORT}")
    lowest, _, highest = told.partition("-")
    for _ in range(TRIES_MAX):
        first = _rng.randrange(int(lowest), int(highest) - count + 2)
        run = range(first, first + count)
        mine = list(takewhile(claimed, run))
        # Those that others have chosen are not looked at: to look is to bind, and a server may start there just now.
        if len(mine) == count and not any(taken(port) for port in run):
            return run
        for port in mine:
            if (claim := _claims.pop(port)) is not None:
                claim.close()
    raise StackError(f"there are no {count} free ports in a row in {told}")

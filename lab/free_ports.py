"""Stacks that run beside others, on ports that nobody uses."""

import os
import random
import socket
import sys
from itertools import takewhile
from pathlib import Path

from stack.errors import StackError
from stack.ports import taken
from stack.settings import StackSettings

# Below the ephemeral ports of Linux (32768 and up): a client of a server that is down could be given the server's own
# port, connect to itself, and block the server's restart.
FIRST_PORT, LAST_PORT = 20_000, 32_767
# Runs of tests at the same time may be given a range each: "20000-25999".
RANGE_VARIABLE = "TURNSTILE_FREE_PORTS"

_rng = random.SystemRandom()  # tests with the same seed must not take the same ports
_claims: dict[int, socket.socket | None] = {}
# Random first ports that are tried.
TRIES_MAX = 10_000


def on_free_ports(home: Path, workers: int = 1, **more: object) -> StackSettings:
    """The settings of a stack with a folder and ports of its own. ``more`` are settings."""
    runs = ("kafka_port", "kafka_controller_port", "worker_port", "kafka_metrics_port")
    singles = [name for name in StackSettings.model_fields if name.endswith("_port") and name not in runs]
    values = {"home": home, "workers": workers, **more}
    brokers = StackSettings.model_validate(values).brokers
    ports = free(len(singles) + 3 * brokers + workers)
    kafka = ports[len(singles)]
    chosen = dict(zip(singles, ports, strict=False))
    chosen |= {"kafka_port": kafka, "kafka_controller_port": kafka + 1, "worker_port": kafka + 2 * brokers}
    chosen["kafka_metrics_port"] = chosen["worker_port"] + workers
    return StackSettings.model_validate(values | chosen)


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

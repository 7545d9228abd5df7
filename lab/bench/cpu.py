"""CPU seconds and memory of each role, with all child processes."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Final

import psutil

# By the name of a process of the stack without its number: the role that its cost is counted for.
ROLES: Final = {
    "ledger": "worker",
    "indexer": "indexer",
    "notifications": "notifications",
    "sales": "sales",
    "kafka": "broker",
    "smtp": "mail",
}

# The roles that a purchase over REST costs CPU.
SERVER_ROLES: Final = ("api", "worker", "broker")

Seconds = dict[str, float]


def role_of(name: str) -> str:
    """The role of a process of the stack: ``ledger-1`` is a worker, ``kafka`` the broker, others are their own."""
    kind = name.partition("-")[0]
    return ROLES.get(kind, kind)


def cpu_seconds(pids: Mapping[str, int]) -> Seconds:
    """User and system seconds so far of every role, of processes by name. One that has ended is left out."""
    return _by_role(pids, tree_seconds)


def resident_mb(pids: Mapping[str, int]) -> Seconds:
    """Resident megabytes (10**6 bytes) of every role now; shared pages count once for each process."""
    return _by_role(pids, _tree_resident)


def spent(before: Seconds, after: Seconds) -> Seconds:
    """What each role used in between; a role that was not there before counts from nothing."""
    return {role: after[role] - before.get(role, 0.0) for role in after}


def machine_seconds() -> float:
    """CPU seconds that all processes of the machine have used so far."""
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0))


def elsewhere(machine: float, ours: float, wall: float, cores: int) -> float:
    """The share of the machine (0 to 1) that processes not measured took within ``wall`` seconds."""
    return min(1.0, max(0.0, machine - ours) / (wall * cores)) if wall > 0 else 0.0


def _by_role(pids: Mapping[str, int], figure: Callable[[psutil.Process], float]) -> Seconds:
    sums: Seconds = {}
    for name, pid in pids.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            role = role_of(name)
            sums[role] = sums.get(role, 0.0) + figure(psutil.Process(pid))
    return sums


def tree_seconds(process: psutil.Process) -> float:
    """CPU seconds so far of a process and all below it; one that ended counts on in its parent's."""
    return sum(_own_seconds(one) for one in _tree(process))


def _own_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _tree_resident(process: psutil.Process) -> float:
    total = 0.0
    for one in _tree(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss / 1e6
    return total


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]

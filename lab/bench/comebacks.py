"""How the ledger comes back, as measurements of the frame; see lab/bench/recovery.py."""

from typing import Final

from lab.bench import recovery
from lab.bench.lab import Figures, Lab, Measurement


def rebuild(lab: Lab) -> Figures:
    """Killed after a million purchases: with its folder, and from an empty one."""
    with lab.step("a million purchases, a kill, a rebuild"):
        found = recovery.measure(lab.count(recovery.MILLION))
    return {
        "recovery.worker_s": found["recovery.restart_s"],
        "recovery.rebuild_1m_s": found["recovery.rebuild_s"],
        "recovery.rebuild_1m_cpu_s": found["recovery.rebuild_cpu_s"],
    }


def takeover(lab: Lab) -> Figures:
    """One of two workers is killed and stays away."""
    with lab.step("two workers, one is killed"):
        return recovery.measure_takeover()


MEASUREMENTS: Final = (
    Measurement("recovery.rebuild", "the ledger worker killed after 1,000,000 purchases; an empty folder", rebuild),
    Measurement("recovery.takeover", "another worker takes over", takeover),
)

"""A seed makes the same faults again, and in time every process and link has its turn."""

from collections import Counter

from lab.chaos.links import LINKS
from lab.chaos.schedule import PROCESSES, WITH_TABLES, FaultKind, link_faults, process_faults

NAMES = [str(link) for link in LINKS]


def test_a_seed_makes_the_same_faults_again() -> None:
    assert process_faults(5, 300) == process_faults(5, 300) != process_faults(6, 300)
    assert link_faults(5, 300, NAMES) == link_faults(5, 300, NAMES) != link_faults(6, 300, NAMES)


def test_ten_minutes_have_every_fault_of_every_process() -> None:
    done = Counter((fault.kind, fault.target) for fault in process_faults(5, 600))
    wanted = {(kind, name) for kind in (FaultKind.KILL, FaultKind.PAUSE, FaultKind.RESTART) for name in PROCESSES}
    assert done.keys() == wanted | {(FaultKind.FORGET, name) for name in WITH_TABLES}


def test_every_link_has_its_turn_and_no_fault_outlives_the_schedule() -> None:
    faults = link_faults(5, 600, NAMES)
    assert {fault.target for fault in faults} == set(NAMES)
    assert all(fault.at + fault.seconds <= 600 for fault in faults)

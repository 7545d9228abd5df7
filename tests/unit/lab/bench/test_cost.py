"""CPU accounting: roles, stretches of a run, the share of others."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from lab.bench.cpu import cpu_seconds, elsewhere, resident_mb, role_of, spent, tree_seconds
from lab.bench.track import Sample, Track, follow

BURN = "import time\nwhile time.process_time() < 0.3: pass"
CHILD_THAT_ENDS = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BURN!r}])
print("done", flush=True)
sys.stdin.read()
"""


def sample(at: float, done: int, worker: float, broker: float = 0.0) -> Sample:
    return Sample(at, done, {"worker": worker, "broker": broker}, {})


def looks(*samples: Sample) -> Iterator[Sample]:
    yield from samples


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("ledger-0", "worker"),
        ("ledger-12", "worker"),
        ("indexer-0", "indexer"),
        ("kafka", "broker"),
        ("postgres", "postgres"),
        ("api", "api"),
    ],
)
def test_a_process_is_counted_for_its_role(name: str, role: str) -> None:
    assert role_of(name) == role


def test_what_was_spent_is_told_by_role_and_a_newcomer_counts_from_nothing() -> None:
    assert spent({"worker": 2.0}, {"worker": 3.5, "broker": 0.25}) == {"worker": 1.5, "broker": 0.25}


def test_a_child_that_ended_stays_counted_with_its_parent() -> None:
    argv = (sys.executable, "-c", CHILD_THAT_ENDS)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        assert tree_seconds(psutil.Process(process.pid)) >= 0.25
        assert cpu_seconds({"ledger-0": process.pid, "ledger-1": process.pid})["worker"] >= 0.5


def test_a_process_that_is_gone_is_left_out() -> None:
    process = subprocess.Popen((sys.executable, "-c", ""))
    process.wait()
    assert cpu_seconds({"kafka": process.pid}) == {} == resident_mb({"kafka": process.pid})


def test_resident_memory_is_in_megabytes() -> None:
    assert 10 < resident_mb({"ledger-0": os.getpid()})["worker"] < 10_000


@pytest.mark.parametrize(
    ("machine", "ours", "wall", "share"),
    [(10.0, 10.0, 10.0, 0.0), (15.0, 5.0, 10.0, 0.5), (9.0, 10.0, 10.0, 0.0), (99.0, 0.0, 10.0, 1.0), (1.0, 0, 0, 0.0)],
)
def test_what_others_took_is_a_share_of_the_whole_machine(
    machine: float, ours: float, wall: float, share: float
) -> None:
    assert elsewhere(machine, ours, wall, cores=2) == share


def test_a_stretch_begins_and_ends_at_the_first_look_that_shows_it() -> None:
    track = Track([sample(0, 0, 5.0), sample(1, 90, 5.2), sample(2, 210, 5.4, 0.1), sample(3, 300, 5.6, 0.2)])
    cost = track.between(50, 300)
    assert (cost.done, cost.wall) == (210, 2)
    assert cost.per_second == 105
    assert cost.per_cpu_second("worker") == pytest.approx(525)
    assert cost.per_cpu_second("worker", "broker") == pytest.approx(350)
    assert cost.microseconds("worker") == pytest.approx(1905, abs=1)


@pytest.mark.parametrize(("first", "last"), [(0, 400), (150, 200)])
def test_a_stretch_that_the_looks_do_not_show_is_an_error(first: int, last: int) -> None:
    track = Track([sample(0, 0, 0.0), sample(1, 300, 1.0)])
    with pytest.raises(ValueError, match=r"never done|show nothing"):
        track.between(first, last)


def test_following_ends_with_the_last_one_done() -> None:
    ticks: list[int] = []
    seen = looks(sample(0, 0, 0), sample(1, 3, 1), sample(2, 5, 2), sample(3, 9, 3))
    track = follow(lambda: next(seen), 5, stall_timeout_s=5, tick=ticks.append, every_s=0)
    assert [one.done for one in track.samples] == [0, 3, 5]
    assert ticks == [3, 5]


def test_following_gives_up_where_nothing_moves() -> None:
    with pytest.raises(TimeoutError, match="7 of 9 are done"):
        follow(lambda: sample(0, 7, 0), 9, stall_timeout_s=0, tick=lambda _: None, every_s=0)


def test_the_pace_of_a_stretch_is_the_middle_one_of_its_looks() -> None:
    paces = {0: 9.0, 100: 1.0, 150: 5.0, 199: 2.0, 200: 9.0}
    track = Track([Sample(0, done, {}, {}, pace=pace) for done, pace in paces.items()])
    assert track.pace(100, 200) == 2.0

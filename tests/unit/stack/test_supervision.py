"""Parts that die, hang and need each other: small real processes, and a clock that is set by hand."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.trial_stack import TrialStack
from stack.child import Command
from stack.errors import StackError
from stack.member import StackMember
from stack.part import LATE_S, WORKS_AGAIN, PartPhase, pause_s
from stack.reasons import ended
from stack.settings import StackSettings
from stack.state_file import NAME
from stack.supervision import ASK_EVERY_S, FAILED_STARTS_MAX, Supervision
from tests.eventually import eventually

STAYS = "touch $0; exec sleep 60"
DIES = "echo no room >&2; exit 3"
HANGS = "exec sleep 60"


class Small(StackMember):
    """Runs a script of the shell; it is ready when that has made its file, ``$0``."""

    def __init__(self, home: Path, name: str, script: str, *needs: str, counts_on: tuple[str, ...] = ()) -> None:
        self.name = name  # type: ignore[misc]
        self.needs = needs  # type: ignore[misc]
        self.counts_on = counts_on  # type: ignore[misc]
        self.script = script
        self.starts = 0
        super().__init__(StackSettings(home=home))
        self.mark = home / f"{name}.ready"

    def command(self) -> Command:
        self.starts += 1
        return Command(("/bin/sh", "-c", self.script, str(self.mark)), self.log)

    def ready(self) -> bool:
        return self.mark.exists()


class Once(Small):
    runs_once = True


class Supervised:
    """A stack of small parts under supervision, gone through step by step."""

    def __init__(self, home: Path, *members: Small) -> None:
        self.stack = TrialStack(StackSettings(home=home))
        self.stack.members = {member.name: member for member in members}
        self.now = 0.0
        self.told: list[tuple[str, str]] = []
        self.it = Supervision(
            self.stack,
            [it.name for it in members],
            lambda part, news: self.told.append((part.name, news)),
            lambda: self.now,
        )

    def until(self, true: Callable[[], bool]) -> None:
        def one_more() -> bool:
            self.it.step()
            return true()

        eventually(one_more, within=20, pause=0.01)

    def phase(self, name: str) -> PartPhase:
        return self.it.parts[name].phase

    def end(self) -> None:
        self.it.close()
        for name in list(self.stack.processes):
            self.stack.drop(name)


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Callable[..., Supervised]]:
    made: list[Supervised] = []

    def make(*members: Small) -> Supervised:
        made.append(Supervised(tmp_path, *members))
        return made[-1]

    yield make
    for each in made:
        each.end()


def test_what_keeps_dying_is_started_with_growing_pauses_and_the_others_run_on(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    good, bad = Small(tmp_path, "good", STAYS), Small(tmp_path, "bad", DIES)
    run = supervised(good, bad)
    run.until(lambda: run.phase("good") is PartPhase.READY)
    pid = run.stack.pids["good"]
    run.until(lambda: run.it.parts["bad"].failures == 2)
    for failures in range(2, 6):
        run.now += pause_s(failures) - 0.01
        for _ in range(20):
            run.it.step()
        assert bad.starts == failures
        run.now += 0.02
        run.until(lambda: run.it.parts["bad"].failures == failures + 1)  # noqa: B023 (called at once)
    assert run.told == [("bad", "ended with exit code 3: no room")]
    assert run.stack.pids["good"] == pid
    assert run.it.down() == {"bad": "ended with exit code 3: no room"}


def test_what_needs_a_part_that_is_down_waits_and_what_counts_on_it_starts(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    run = supervised(
        Small(tmp_path, "search", DIES),
        Small(tmp_path, "indexer", STAYS, "search"),
        Small(tmp_path, "events", STAYS, counts_on=("search", "indexer")),
    )
    run.until(lambda: run.phase("events") is PartPhase.READY)
    assert run.phase("indexer") is PartPhase.WAITING
    assert run.it.down()["indexer"] == "waits for search"
    assert run.it.is_settled


def test_what_waits_starts_when_the_part_that_it_needs_is_there(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    search = Small(tmp_path, "search", DIES)
    run = supervised(search, Small(tmp_path, "indexer", STAYS, "search"))
    run.until(lambda: run.phase("search") is PartPhase.DOWN)
    search.script = STAYS
    run.now += 60
    run.until(lambda: run.phase("indexer") is PartPhase.READY)
    assert run.told[-1] == ("search", "works again")


def test_what_hangs_at_its_start_holds_up_nobody_for_long(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    run = supervised(Small(tmp_path, "slow", HANGS), Small(tmp_path, "events", STAYS, counts_on=("slow",)))
    run.until(lambda: run.phase("slow") is PartPhase.STARTING)
    assert run.phase("events") is PartPhase.WAITING
    run.now += LATE_S
    run.until(lambda: run.phase("events") is PartPhase.READY)
    assert run.it.is_settled
    assert run.it.down() == {"slow": "is still starting"}


def test_what_is_not_ready_in_time_is_killed_before_it_is_started_again(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    slow = Small(tmp_path, "slow", "echo $$ >> $0.pids; exec sleep 60")
    slow.ready_timeout_s = 0.3  # type: ignore[misc]
    run = supervised(slow)
    run.until(lambda: run.it.parts["slow"].failures == 2)
    pids = Path(f"{slow.mark}.pids").read_text().split()
    assert len(pids) == 2
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    assert run.told == [("slow", "was not ready within 0 s")]


def test_a_killed_part_is_started_again_at_once_and_named_with_the_signal(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    run = supervised(Small(tmp_path, "ledger", f"echo all is well; {STAYS}"))
    run.until(lambda: run.phase("ledger") is PartPhase.READY)
    pid = run.stack.pids["ledger"]
    run.stack.kill("ledger")
    run.until(lambda: run.phase("ledger") is PartPhase.READY and run.stack.pids["ledger"] != pid)
    assert run.told == [("ledger", ended(-signal.SIGKILL)), ("ledger", WORKS_AGAIN)]


def test_a_step_that_fails_is_tried_again_until_it_is_done(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    step = Once(tmp_path, "catalogue", DIES)
    run = supervised(step, Small(tmp_path, "after", STAYS, "catalogue"))
    run.until(lambda: run.it.parts["catalogue"].failures == 2)
    assert run.told == [("catalogue", "failed: ended with exit code 3: no room")]
    step.script = "exit 0"
    run.now += 60
    run.until(lambda: run.phase("after") is PartPhase.READY)
    assert run.phase("catalogue") is PartPhase.DONE


def test_connectors_are_looked_at_again_when_what_they_come_from_is_back(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    step = Once(tmp_path, "connectors", "exit 0", "connect")
    run = supervised(Small(tmp_path, "connect", STAYS), step)
    run.until(lambda: run.phase("connectors") is PartPhase.DONE)
    run.stack.kill("connect")
    run.until(lambda: step.starts == 2 and run.phase("connectors") is PartPhase.DONE)


@pytest.mark.parametrize(
    ("name", "what"),
    [("postgres", "PostgreSQL can't run"), ("migrations", "the database can't be used")],
)
def test_only_where_nothing_works_without_it_a_part_that_never_works_ends_all(
    tmp_path: Path, supervised: Callable[..., Supervised], name: str, what: str
) -> None:
    run = supervised((Once if name == "migrations" else Small)(tmp_path, name, DIES))

    def step() -> bool:
        run.now += 60
        return False

    with pytest.raises(StackError, match=f"^{what}: {name} failed {FAILED_STARTS_MAX} times in a row"):
        run.until(step)


def test_what_can_not_even_be_prepared_is_down_alone(tmp_path: Path, supervised: Callable[..., Supervised]) -> None:
    class Unprepared(Small):
        def preparations(self) -> tuple[Command, ...]:
            raise PermissionError(13, "Permission denied", "/data")

    run = supervised(Unprepared(tmp_path, "bad", STAYS), Small(tmp_path, "good", STAYS))
    run.until(lambda: run.phase("good") is PartPhase.READY)
    assert run.it.down() == {"bad": "[Errno 13] Permission denied: '/data'"}


def test_what_fails_in_a_part_that_is_ready_is_told_and_the_part_left_alone(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    class Complaining(Small):
        said = "connector a has FAILED: no table"

        def complaint(self) -> str:
            return self.said

    connect = Complaining(tmp_path, "connect", STAYS)
    run = supervised(connect)
    run.until(lambda: run.phase("connect") is PartPhase.READY)
    for _ in range(3):
        run.now += ASK_EVERY_S
        run.it.step()
    assert (run.told, connect.starts) == ([("connect", connect.said)], 1)
    assert run.it.down() == {"connect": connect.said}
    connect.said = ""
    run.now += ASK_EVERY_S
    run.it.step()
    assert run.told[1:] == [("connect", WORKS_AGAIN)]
    assert run.it.is_whole


def test_a_part_that_can_not_be_asked_what_fails_in_it_is_left_alone(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    class Mute(Small):
        def complaint(self) -> str:
            raise KeyError("status")

    connect = Mute(tmp_path, "connect", STAYS)
    run = supervised(connect)
    run.until(lambda: run.phase("connect") is PartPhase.READY)
    run.now += ASK_EVERY_S
    run.it.step()
    run.it.step()
    assert (run.phase("connect"), connect.starts, run.told) == (PartPhase.READY, 1, [])


def test_the_state_of_the_parts_is_in_a_file_while_they_are_supervised(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    run = supervised(Small(tmp_path, "good", STAYS), Small(tmp_path, "bad", DIES))
    run.until(lambda: run.phase("good") is PartPhase.READY and run.it.parts["bad"].failures == 2)
    told = json.loads((tmp_path / NAME).read_text())
    assert told["pid"] == os.getpid()
    assert [(part["name"], part["phase"], part["failures"]) for part in told["parts"]] == [
        ("good", "ready", 0),
        ("bad", "down", 2),
    ]
    run.it.close()
    assert not (tmp_path / NAME).exists()


def test_a_folder_that_is_full_does_not_end_the_supervision(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    run = supervised(Small(tmp_path, "good", STAYS))
    (tmp_path / f"{NAME}.partial").mkdir()
    run.until(lambda: run.phase("good") is PartPhase.READY)
    shutil.rmtree(tmp_path / f"{NAME}.partial")


def test_the_end_of_the_supervision_ends_a_step_that_runs(
    tmp_path: Path, supervised: Callable[..., Supervised]
) -> None:
    run = supervised(Once(tmp_path, "catalogue", "echo $$ > $0; exec sleep 60"))
    mark = tmp_path / "catalogue.ready"
    run.until(lambda: mark.exists() and mark.read_text().endswith("\n"))
    run.it.close()
    assert not Path(f"/proc/{mark.read_text().strip()}").exists()

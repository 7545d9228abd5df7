"""What is said of parts that are up, down and in between."""

import json
import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from connect.connectors.rest_client import ConnectorState
from connect.observe.lag import RoleGroup, role_group
from connect.topics import COMMANDS, all_topics
from lab.free_ports import free
from ops.part_status import PartState, PartStatus, size
from ops.server_probes import connector_part, kafka
from ops.status import PROBES, look, worst
from ops.topics import TopicState
from ops.worker_probes import role_part, worker_part
from settings import Settings
from streams.runtime.waiting import WaitingPages

NOW = Settings(ticket_key="k" * 32)


def one(name: str, state: PartState, text: str = "") -> Callable[[Settings], list[PartStatus]]:
    return lambda _: [PartStatus(name, state, text, {"lag": 3})]


def broken(now: Settings) -> Iterable[PartStatus]:
    raise ConnectionRefusedError("no answer\nand much more")


def test_every_part_is_told_though_one_cannot_be_asked() -> None:
    parts = look(NOW, {"kafka": one("kafka", PartState.OK), "mail": broken})
    assert parts == [PartStatus("kafka", PartState.OK, "", {"lag": 3}), PartStatus("mail", PartState.DOWN, "no answer")]


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ([PartState.OK], PartState.OK),
        ([PartState.OK, PartState.WARN], PartState.WARN),
        ([PartState.WARN, PartState.DOWN, PartState.OK], PartState.DOWN),
    ],
)
def test_the_whole_is_as_well_as_its_worst_part(states: list[PartState], whole: PartState) -> None:
    assert worst([PartStatus("it", state, "") for state in states]) is whole


def test_topics_to_which_somebody_has_added_partitions_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {topic.name: topic.partitions or NOW.partitions for topic in all_topics()} | {COMMANDS: 9}
    states = [TopicState(name, count, 1, 0, 0, 0, "", {}) for name, count in counts.items()]
    monkeypatch.setattr("ops.server_probes.read_topics", lambda *_: states)
    [part] = kafka(NOW)
    assert part.state is PartState.WARN
    assert part.text.startswith(f"partitions were added to {COMMANDS}: ")


@pytest.mark.parametrize(
    ("words", "age", "state", "text"),
    [
        (("RUNNING", "RUNNING"), 12.0, PartState.OK, "running"),
        (("RUNNING", "RUNNING"), None, PartState.OK, "running"),
        (("RUNNING", "RUNNING"), 95.0, PartState.DOWN, "running; late: no row has come through it for 95 s"),
        (("RUNNING", "FAILED"), 5.0, PartState.DOWN, "running failed: boom"),
    ],
)
def test_a_connector_that_moves_nothing_is_late_whatever_it_says_of_itself(
    words: tuple[str, ...], age: float | None, state: PartState, text: str
) -> None:
    part = connector_part("turnstile-event", ConnectorState(words, "boom" if "FAILED" in words else ""), age)
    assert (part.state, part.text) == (state, text)


def supervised(tmp_path: Path, pid: int, *parts: dict[str, object]) -> list[PartStatus]:
    """What `status` says of an embedded stack with these parts."""
    file = tmp_path / "parts.json"
    file.write_text(json.dumps({"pid": pid, "parts": parts}))
    now = NOW.model_copy(update={"supervisor_file": file})
    return look(now, {"supervisor": PROBES["supervisor"]})


def part_of(name: str, phase: str, reason: str = "", failures: int = 0) -> dict[str, object]:
    return {"name": name, "phase": phase, "reason": reason, "failures": failures}


def test_of_supervised_parts_those_that_are_not_well_are_told_with_the_reason(tmp_path: Path) -> None:
    crashes = part_of("sales-0", "down", "ended with exit code 70: no space", 7)
    waits = part_of("indexer-0", "waiting", "waits for elasticsearch")
    parts = supervised(
        tmp_path,
        os.getpid(),
        part_of("api", "ready"),
        part_of("migrations", "done"),
        crashes,
        waits,
        part_of("c", "starting"),
    )
    assert [(part.name, part.state, part.text) for part in parts] == [
        ("supervisor", PartState.WARN, "2 of 5 parts work"),
        ("  sales-0", PartState.DOWN, "ended with exit code 70: no space; failed 7 times in a row"),
        ("  indexer-0", PartState.DOWN, "waits for elasticsearch"),
        ("  c", PartState.WARN, "starting"),
    ]


def test_a_supervisor_whose_parts_are_all_well_is_one_line(tmp_path: Path) -> None:
    [part] = supervised(tmp_path, os.getpid(), part_of("api", "ready"))
    assert (part.state, part.text) == (PartState.OK, "1 of 1 parts work")


def test_a_supervisor_that_was_killed_is_told(tmp_path: Path) -> None:
    with subprocess.Popen(("true",)) as gone:
        gone.wait()
    [part] = supervised(tmp_path, gone.pid, part_of("api", "ready"))
    assert (part.state, part.text) == (PartState.DOWN, "has ended with all that it ran: `make run` restarts it")


@pytest.mark.parametrize("mail", [PartState.DOWN, PartState.OK])
def test_a_stopped_stack_says_how_to_start_it_and_one_that_runs_does_not(tmp_path: Path, mail: PartState) -> None:
    now = NOW.model_copy(update={"supervisor_file": tmp_path / "none"})
    probes = {"supervisor": PROBES["supervisor"], "kafka": broken, "mail": one("mail", mail)}
    first = look(now, probes)[0]
    if mail is PartState.OK:
        assert first.name == "kafka"
    else:
        assert (first.name, first.text) == ("supervisor", "nothing runs: `make run` starts everything")


def test_of_a_worker_that_waits_for_kafka_it_is_told_for_what() -> None:
    [port] = free(1)
    now = NOW.model_copy(update={"worker_url": f"http://127.0.0.1:{port}"})
    with WaitingPages("127.0.0.1", port) as waiting:
        waiting.report("missing: ticket-commands")
        [part] = look(now, {"ledger's workers": PROBES["ledger's workers"]})
    assert (part.state, part.text) == (PartState.DOWN, "waiting for Kafka: missing: ticket-commands")


def test_where_nothing_is_supervised_nothing_is_said_of_it(tmp_path: Path) -> None:
    for file in (None, tmp_path / "none"):
        assert look(NOW.model_copy(update={"supervisor_file": file}), {"supervisor": PROBES["supervisor"]}) == []


@pytest.mark.parametrize(
    ("mark", "state", "text"),
    [
        (19_999, PartState.OK, "decides 0; its copies of 1 are up to date"),
        (19_000, PartState.OK, "decides 0; its copies of 1 are 999 records behind"),
        (None, PartState.WARN, "decides 0; its copies of 1 are 20000 records behind"),
    ],
)
def test_a_copy_that_is_far_behind_is_told(mark: int | None, state: PartState, text: str) -> None:
    told = {"worker": "ledger-0", "decides": {"0": 5}, "standsBy": {"1": mark}, "workers": []}
    part = worker_part(told, {0: 6, 1: 20_000})
    assert (part.name, part.state, part.text) == ("  ledger-0", state, text)


@pytest.mark.parametrize(
    ("lag", "age", "state", "text"),
    [
        (0, 0.0, PartState.OK, "1 workers, no lag"),
        (3, 59.0, PartState.OK, "1 workers, lag 3 of ticket-purchase"),
        (3, 75.0, PartState.WARN, "1 workers, lag 3 of ticket-purchase, the oldest for 75 s"),
    ],
)
def test_a_role_that_holds_a_record_for_long_is_told(lag: int, age: float, state: PartState, text: str) -> None:
    part = role_part("sales", RoleGroup("Stable", 1, {"ticket-purchase": lag}), age)
    assert (part.state, part.text) == (state, text)


def test_a_program_that_takes_records_away_from_a_role_is_named() -> None:
    ours = {"group_instance_id": "sales-0", "client_id": "faust", "client_host": "/10.0.0.1"}
    theirs = {"group_instance_id": None, "client_id": "kafka-python-3", "client_host": "/10.0.0.9"}
    group = role_group(("ticket-purchase",), {"group_state": "Stable", "members": [ours, theirs]}, {}, {})
    part = role_part("sales", group, 0.0)
    assert (group.members, part.state) == (1, PartState.DOWN)
    assert part.text.startswith("kafka-python-3 from 10.0.0.9 is in its group and takes records away: ")


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 B"), (999, "999 B"), (12_300, "12 kB"), (5_000_000_000, "5 GB"), (10**13, "10.0 TB")]
)
def test_sizes_are_short(count: int, told: str) -> None:
    assert size(count) == told

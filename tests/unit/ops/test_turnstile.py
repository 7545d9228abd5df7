"""The operator's command: what it says of parts that are up, down and in between; the help; replay's comparison."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rich_click as click
from click.testing import CliRunner

import ops.__main__ as cli
import ops.replay
from connect.connectors.rest_client import ConnectorState
from ops.audit import Audit, Finding
from ops.replay import Comparison, compare
from ops.scratch import Scratch
from ops.status import PROBES, Part, State, connector_part, look, size, worker_part, worst
from settings import Settings
from stack.ports import free
from streams.runtime.waiting import Waiting
from streams.search.verify import MEND, Difference
from tables.ledger.records import decode_purchase, encode_record, purchase_key
from tables.ledger.watermark import WATERMARK_KEY, Watermark, encode_watermark
from tables.messages.commands import Buy, Cancel, Command, DefineEvent, TicketLine, encode_command
from tests.unit.tables.ledger.test_records import in_long_form
from tests.unit.tables.ledger_driver import ADA, EVENT, FLOOR, LedgerDriver, definition, purchase_id, ticket_type
from tests.unit.tables.ledger_driver import NOW as AT

NOW = Settings(ticket_key="k" * 32)
COMMANDS = {"actions", "holds", "ledger", "status", "verify", "replay", "topics", "reindex", "dlq", "connectors"}


def one(name: str, state: State, text: str = "") -> Callable[[Settings], list[Part]]:
    return lambda _: [Part(name, state, text, {"lag": 3})]


def broken(now: Settings) -> Iterable[Part]:
    raise ConnectionRefusedError("no answer\nand much more")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(cli, "settings", lambda: NOW)
    monkeypatch.setattr(cli.console, "width", 200, raising=False)
    return lambda *arguments: CliRunner().invoke(cli.turnstile, arguments)


def every_command(group: click.RichGroup | Any) -> Iterable[Any]:
    for command in group.commands.values():
        yield command
        if hasattr(command, "commands"):
            yield from every_command(command)


def test_the_commands_are_there_and_each_one_says_what_it_is_for() -> None:
    assert set(cli.turnstile.commands) == COMMANDS
    for command in every_command(cli.turnstile):
        assert len((command.help or "").split()) > 5, command.name


def test_every_part_is_told_though_one_cannot_be_asked() -> None:
    parts = look(NOW, {"kafka": one("kafka", State.OK), "mail": broken})
    assert parts == [Part("kafka", State.OK, "", {"lag": 3}), Part("mail", State.DOWN, "no answer")]


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ([State.OK], State.OK),
        ([State.OK, State.WARN], State.WARN),
        ([State.WARN, State.DOWN, State.OK], State.DOWN),
    ],
)
def test_the_whole_is_as_well_as_its_worst_part(states: list[State], whole: State) -> None:
    assert worst([Part("it", state, "") for state in states]) is whole


@pytest.mark.parametrize(("state", "code"), [(State.OK, 0), (State.WARN, 0), (State.DOWN, 1)])
def test_status_as_json_has_every_figure_and_the_exit_code_tells_of_a_part_that_is_down(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, state: State, code: int
) -> None:
    monkeypatch.setattr(cli, "look", lambda _: [Part("  slot a", state, "3 behind", {"behind": 3})])
    done = run("status", "--json")
    parts = [{"name": "slot a", "state": state, "text": "3 behind", "behind": 3}]
    assert (done.exit_code, json.loads(done.output)) == (code, {"state": state, "parts": parts})


@pytest.mark.parametrize(
    ("text", "shown"), [("[bold]boom\x1b[31m", "[bold]boom\\x1b[31m"), ("\\[/x]\r\n", "\\[/x]\\r\\n")]
)
def test_status_for_people_obeys_no_text_of_others(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, text: str, shown: str
) -> None:
    monkeypatch.setattr(cli, "look", lambda _: [Part("connect", State.DOWN, text)])
    done = run("status")
    assert shown in done.output


@pytest.mark.parametrize(
    ("words", "age", "state", "text"),
    [
        (("RUNNING", "RUNNING"), 12.0, State.OK, "running"),
        (("RUNNING", "RUNNING"), None, State.OK, "running"),
        (("RUNNING", "RUNNING"), 95.0, State.DOWN, "running; late: no row has come through it for 95 s"),
        (("RUNNING", "FAILED"), 5.0, State.DOWN, "running failed: boom"),
    ],
)
def test_a_connector_that_moves_nothing_is_late_whatever_it_says_of_itself(
    words: tuple[str, ...], age: float | None, state: State, text: str
) -> None:
    part = connector_part("turnstile-event", ConnectorState(words, "boom" if "FAILED" in words else ""), age)
    assert (part.state, part.text) == (state, text)


def supervised(tmp_path: Path, pid: int, *parts: dict[str, object]) -> list[Part]:
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
        ("supervisor", State.WARN, "2 of 5 parts are well"),
        ("  sales-0", State.DOWN, "ended with exit code 70: no space; failed 7 times in a row"),
        ("  indexer-0", State.DOWN, "waits for elasticsearch"),
        ("  c", State.WARN, "starting"),
    ]


def test_a_supervisor_whose_parts_are_all_well_is_one_line(tmp_path: Path) -> None:
    [part] = supervised(tmp_path, os.getpid(), part_of("api", "ready"))
    assert (part.state, part.text) == (State.OK, "1 of 1 parts are well")


def test_a_supervisor_that_was_killed_is_told(tmp_path: Path) -> None:
    with subprocess.Popen(("true",)) as gone:
        gone.wait()
    [part] = supervised(tmp_path, gone.pid, part_of("api", "ready"))
    assert (part.state, part.text) == (State.DOWN, "is gone, and all that it ran: `make run` starts it again")


def test_of_a_worker_that_waits_for_kafka_it_is_told_for_what() -> None:
    [port] = free(1)
    now = NOW.model_copy(update={"worker_url": f"http://127.0.0.1:{port}"})
    with Waiting("127.0.0.1", port) as waiting:
        waiting.tell("missing: ticket-commands")
        [part] = look(now, {"ledger's workers": PROBES["ledger's workers"]})
    assert (part.state, part.text) == (State.DOWN, "waiting for Kafka: missing: ticket-commands")


def test_where_nothing_is_supervised_nothing_is_said_of_it(tmp_path: Path) -> None:
    for file in (None, tmp_path / "none"):
        assert look(NOW.model_copy(update={"supervisor_file": file}), {"supervisor": PROBES["supervisor"]}) == []


@pytest.mark.parametrize(
    ("mark", "state", "text"),
    [
        (19_999, State.OK, "decides 0; its copies of 1 are whole"),
        (19_000, State.OK, "decides 0; its copies of 1 are 999 records behind"),
        (None, State.WARN, "decides 0; its copies of 1 are 20000 records behind"),
    ],
)
def test_a_copy_that_is_far_behind_is_told(mark: int | None, state: State, text: str) -> None:
    told = {"worker": "ledger-0", "decides": {"0": 5}, "standsBy": {"1": mark}, "workers": []}
    part = worker_part(told, {0: 6, 1: 20_000})
    assert (part.name, part.state, part.text) == ("  ledger-0", state, text)


def verdict(
    monkeypatch: pytest.MonkeyPatch, *findings: Finding, index: dict[str, Difference], slots: list[str]
) -> None:
    monkeypatch.setattr(cli, "audit_ledger", lambda _: Audit(3, 40, list(findings)))
    monkeypatch.setattr(cli, "look_at_slots", lambda _: slots)
    monkeypatch.setattr(cli, "compare_index", lambda _, within: index)


def test_verify_says_that_every_promise_holds(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    verdict(monkeypatch, index={}, slots=[])
    done = run("verify")
    assert (done.exit_code, "3 events and 40 purchases were looked at: every promise holds" in done.output) == (0, True)


def test_a_note_breaks_no_promise(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    verdict(monkeypatch, Finding(EVENT, 0, "is overcommitted"), index={}, slots=[])
    done = run("verify", "--json")
    assert (done.exit_code, json.loads(done.output)["notes"]) == (0, [f"event {EVENT}: is overcommitted"])


INDEX = {"e": Difference("is missing"), "f": Difference("can't be indexed: `$.tags[1]`", MEND)}


def test_verify_names_each_broken_promise(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    verdict(monkeypatch, Finding(EVENT, 1, "oversold"), index=INDEX, slots=["slot gone"])
    done = run("verify", "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["findings"] == [
        f"promise 1: event {EVENT}: oversold",
        "promise 5: event e is missing; `turnstile reindex` repairs that",
        "promise 5: event f can't be indexed: `$.tags[1]`; mend its row by SQL",
        "promise 5: slot gone",
    ]


@pytest.mark.parametrize(("different", "code"), [((), 0), (("00 differs at offset 1",), 1)])
def test_replay_tells_how_many_records_differ(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, different: tuple[str, ...], code: int
) -> None:
    monkeypatch.setattr(cli, "replay_log", lambda now, folder: iter([Comparison(0, 9, 7, different)]))
    done = run("replay", "--json")
    assert (done.exit_code, json.loads(done.output)[0]["different"]) == (code, list(different))


@pytest.mark.parametrize("command", ["verify", "replay", "reindex"])
def test_a_server_that_does_not_answer_is_one_line_and_exit_code_2(command: str) -> None:
    [port] = free(1)
    away = {"KAFKA_SERVERS": f"127.0.0.1:{port}", "DATABASE_URL": f"postgresql://127.0.0.1:{port}/turnstile"}
    environment = {f"TURNSTILE_{name}": value for name, value in (away | {"TICKET_KEY": "k" * 32}).items()}
    program = (sys.executable, "-m", "ops", command)
    done = subprocess.run(program, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("turnstile: ")


def test_a_part_is_one_line_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "settings", lambda: NOW)
    monkeypatch.setattr(cli, "look", lambda _: [Part("mail", State.DOWN, "a long reason " * 10)])
    assert len(CliRunner().invoke(cli.turnstile, "status").output.splitlines()) == 1


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 B"), (999, "999 B"), (12_300, "12 kB"), (5_000_000_000, "5 GB"), (10**13, "10.0 TB")]
)
def test_sizes_are_short(count: int, told: str) -> None:
    assert size(count) == told


@pytest.fixture
def driver() -> LedgerDriver:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(FLOOR, 10))
    driver.buy(1)
    driver.buy(2)
    return driver


def compared(
    tmp_path: Path, rebuilt: dict[bytes, bytes], written: dict[bytes, bytes], end: int
) -> tuple[int, list[str]]:
    with closing(Scratch(tmp_path / "rebuilt")) as one, closing(Scratch(tmp_path / "written")) as other:
        one.write(rebuilt.items())
        other.take_over(list(written.items()))
        return compare(one, other, end)


def test_what_comes_of_the_log_is_what_was_written(tmp_path: Path, driver: LedgerDriver) -> None:
    mark = {WATERMARK_KEY: encode_watermark(Watermark(2, b"d"))}
    assert compared(tmp_path, driver.table, driver.table | mark, 3) == (len(driver.table), [])


def test_a_record_in_the_form_of_an_earlier_version_is_no_difference(tmp_path: Path, driver: LedgerDriver) -> None:
    driver.cancel(1)
    key = purchase_key(EVENT, purchase_id(1))
    earlier = encode_record(in_long_form(decode_purchase(driver.table[key])))
    assert earlier != driver.table[key]
    assert compared(tmp_path, driver.table, driver.table | {key: earlier}, 9) == (len(driver.table), [])


@pytest.mark.parametrize("decided", [True, False])
def test_a_partial_cancel_without_a_request_is_replayed_only_where_a_worker_decided_it(
    tmp_path: Path, driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch, *, decided: bool
) -> None:
    part = Cancel(EVENT, purchase_id(1), ADA, None, [TicketLine(FLOOR, 1)])
    kind = DefineEvent(EVENT, 1, definition(ticket_type(FLOOR, 10)))
    log: list[Command] = [kind, Buy(EVENT, purchase_id(1), ADA, [TicketLine(FLOOR, 1)]), part]
    worker = LedgerDriver(batch=1)
    for command in log if decided else log[:2]:
        worker.send(command)
    now = Settings(ticket_key="k" * 32, partitions=1)
    records = [SimpleNamespace(offset=at, timestamp=AT, value=encode_command(each)) for at, each in enumerate(log)]
    monkeypatch.setattr(ops.replay, "_log", lambda *_: [records])
    with closing(Scratch(tmp_path / "rebuilt")) as rebuilt, closing(Scratch(tmp_path / "written")) as written:
        written.take_over(list(worker.table.items()))
        count = ops.replay._carry_out(now, 0, 3, rebuilt, written)
        assert count == len(log) - (not decided)
        assert compare(rebuilt, written, 3) == (len(worker.table), [])


def test_what_was_written_since_is_no_difference(tmp_path: Path, driver: LedgerDriver) -> None:
    before = dict(driver.table)
    driver.buy(3)
    same, different = compared(tmp_path, before, driver.table, 3)
    assert (same, different) == (2, [])


def test_a_record_that_differs_is_missing_or_comes_of_nothing_is_told(tmp_path: Path, driver: LedgerDriver) -> None:
    keys = sorted(driver.table)
    older = LedgerDriver(batch=1)
    older.define(ticket_type(FLOOR, 11))
    written = {key: driver.table[key] for key in keys[1:]} | {b"x": driver.table[keys[2]]}
    event = next(key for key in keys if key[16:17] == b"e")
    written |= {event: older.table[event]}
    _, different = compared(tmp_path, driver.table, written, 3)
    assert sorted(text.split(" ", 1)[1] for text in different) == [
        "does not come of the log",
        "is not in the changelog",
        "is of offset 0, the log makes it of offset 2",
    ]


def test_an_older_record_never_replaces_a_newer_one_in_a_scratch_table(tmp_path: Path, driver: LedgerDriver) -> None:
    [event] = [key for key in driver.table if key[16:17] == b"e"]
    older = LedgerDriver(batch=1)
    older.define(ticket_type(FLOOR, 10))
    with closing(Scratch(tmp_path / "one")) as scratch:
        scratch.take_over([(event, driver.table[event]), (event, older.table[event])])
        assert scratch.load([event]) == [driver.table[event]]

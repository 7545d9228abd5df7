"""Today's code reads all recordings, and the versions that made them could read what it writes."""

import json
from typing import Any, get_args

import msgspec
import pytest
from msgspec import Struct

from connect.topics import HEARTBEAT, HEARTBEAT_ROWS, OPERATOR_ACTIONS, TABLES, all_topics
from tables.errors import MalformedRecord
from tables.messages.commands import Command, decode_command
from tables.messages.outcomes import Outcome, OutcomeKind, decode_outcome
from tests.unit.upgrades.formats import MESSAGES, TYPES, read_record
from tests.unit.upgrades.recording import Recording, carried_out, recordings
from tests.unit.upgrades.schemas import arrays_of, broken, schemas_of

EACH = pytest.mark.parametrize("recording", recordings(), ids=lambda each: each.folder.name)


@EACH
def test_every_message_is_read(recording: Recording) -> None:
    for topic, value in recording.messages():
        MESSAGES[topic](value)


@EACH
def test_every_record_of_a_table_is_read(recording: Recording) -> None:
    for record in recording.records():
        read_record(*record)


@EACH
def test_a_recorded_log_is_decided_as_it_was(recording: Recording) -> None:
    outcomes, records = carried_out(recording.log())
    told = [MESSAGES[topic](value) for topic, value in recording.messages() if topic == "ticket-purchase"]
    later = later_defaults(recording)
    assert [msgspec.structs.replace(outcome, **later) for outcome in outcomes] == told
    kept = {key: read_record("ledger", key, value) for key, value in recording.decided().items()}
    assert {key: read_record("ledger", key, value) for key, value in records.items()} == kept


def later_defaults(recording: Recording) -> dict[str, Any]:
    """The defaults of those fields of an outcome that the recording's version didn't have."""
    known = recording.schemas()["Outcome"]
    return {each.name: each.default for each in msgspec.structs.fields(Outcome) if each.encode_name not in known}


@EACH
def test_a_table_of_before_is_worked_on_further(recording: Recording) -> None:
    """A log whose first part was decided by the recorded version ends as if one version had decided all of it."""
    log = recording.log()
    records = recording.decided()
    again = carried_out([*log, *log[-20:]])[1]
    assert {key: read_record("ledger", key, value) for key, value in again.items()} == {
        key: read_record("ledger", key, value) for key, value in records.items()
    }


@EACH
def test_no_schema_has_changed_in_a_way_that_one_side_could_not_read(recording: Recording) -> None:
    assert broken(recording.schemas(), schemas_of(TYPES), arrays_of(TYPES)) == []


@EACH
def test_fields_of_a_version_to_come_are_passed_over(recording: Recording) -> None:
    for topic, value in recording.messages():
        assert MESSAGES[topic](with_more(value)) == MESSAGES[topic](value)


@EACH
def test_everything_that_is_kept_is_recorded(recording: Recording) -> None:
    # Nothing of ours acts on an operator's action, and nobody decodes a heartbeat's whole row.
    named = {topic.name for topic in all_topics()} - {HEARTBEAT, HEARTBEAT_ROWS, OPERATOR_ACTIONS}
    messages = {name for name in named if not name.startswith("dlq.") and not name.endswith("-changelog")}
    assert set(MESSAGES) == messages
    if recording == recordings()[-1]:
        assert {topic for topic, _ in recording.messages()} == messages
        assert {table for table, _, _ in recording.records()} == set(TABLES)
        assert {type(entry.command) for entry in recording.log()} == set(get_args(Command))
        outcomes = [decode_outcome(value) for topic, value in recording.messages() if topic == "ticket-purchase"]
        assert {outcome.kind for outcome in outcomes} == set(OutcomeKind)
        assert recording.schemas() == schemas_of(TYPES), "run python -m tests.unit.upgrades.recording"


class Before(Struct, frozen=True):
    """A message of an earlier version."""

    id: int
    name: str = ""


class Row(Struct, frozen=True, array_like=True):
    """A record of an earlier version."""

    id: int
    name: str = ""


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ([("id", int), ("name", str, ""), ("more", int, 0)], None),
        ([("id", int), ("name", str, ""), ("more", int)], "more is new and has no default"),
        ([("id", int)], "name is gone"),
        ([("id", int), ("title", str, "")], "name is gone"),
        ([("id", int), ("name", str)], "name could be missing"),
        ([("name", str, ""), ("id", int, 0)], "may only come last"),
    ],
)
@pytest.mark.parametrize("before", [Before, Row])
def test_the_rule_finds_what_breaks_it(before: type[Struct], fields: list[Any], problem: str | None) -> None:
    array = bool(before.__struct_config__.array_like)
    name, place = before.__qualname__, before.__module__
    now = msgspec.defstruct(name, fields, module=place, array_like=array, kw_only=True)
    problems = broken(schemas_of([before]), schemas_of([now]), arrays_of([now]))
    if problem is None or (problem == "may only come last" and not array):
        assert problems == []
    else:
        assert any(problem in each for each in problems)


@EACH
def test_a_recording_is_not_read_by_code_that_lacks_its_kinds(recording: Recording) -> None:
    """The negative control: decoding is strict enough to fail."""
    [(_, value), *_] = recording.messages()
    other = value.replace(b'"kind":"', b'"kind":"no-', 1)
    with pytest.raises(MalformedRecord):
        decode_command(other)
    with pytest.raises(MalformedRecord):
        decode_outcome(b"{}")


def with_more(value: bytes) -> bytes:
    """A message with an additional field in each of its objects."""

    def more(each: Any) -> Any:
        if isinstance(each, list):
            return [more(one) for one in each]
        if not isinstance(each, dict):
            return each
        # Figures have no fields: any name is one of theirs.
        grown = {name: one if name == "figures" else more(one) for name, one in each.items()}
        return grown | {"ofTheFuture": {"any": [1]}}

    return json.dumps(more(json.loads(value, parse_float=str))).encode()

"""What we override or use privately of Faust and the Kafka clients has not changed since it was recorded."""

import inspect

import pytest

import streams.runtime.consumer
import streams.runtime.health
from tests.unit.streams.runtime.upstream import (
    COMMAND,
    RECORD,
    Record,
    Use,
    differences,
    installed,
    read_record,
    uses_in,
)

OVERRIDE = """
class BatchConsumer:
    async def commit(self, topics=None, start_new_transaction=True):
        return True
"""


@pytest.fixture(scope="module")
def recorded() -> Record:
    return read_record()


@pytest.fixture(scope="module")
def now(recorded: Record) -> Record:
    return installed(recorded.owners)


def test_no_member_that_we_rely_on_has_changed_and_none_is_used_unrecorded(recorded: Record, now: Record) -> None:
    lines = differences(recorded, now)
    assert not lines, "\n".join([*lines, f"read what changed upstream, then record it in {RECORD.name}: {COMMAND}"])


def test_a_changed_source_another_version_and_an_unused_member_are_told(recorded: Record, now: Record) -> None:
    member = "faust.transport.consumer:Consumer.perform_seek"
    before = recorded._replace(
        versions=recorded.versions | {"aiokafka": "0.0.1"},
        members={name: hashed for name, hashed in recorded.members.items() if "Recovery" not in name} | {member: "x"},
    )
    lines = differences(before, now)
    assert f"changed: {member} (source x -> {now.members[member]})" in lines
    assert f"aiokafka {now.versions['aiokafka']} is installed, 0.0.1 was recorded" in lines
    assert "not recorded: faust.tables.recovery:Recovery._restart_recovery" in lines
    assert "no longer used: faust.app:Gone.gone" in differences(
        recorded._replace(members=recorded.members | {"faust.app:Gone.gone": "x"}), now
    )


def test_an_access_that_is_new_is_found(recorded: Record, now: Record) -> None:
    module = streams.runtime.health
    new = f"{inspect.getsource(module)}\n\nasync def peek(consumer):\n    return consumer._unseen\n"
    [use] = [each for each in uses_in(module, new) if each.name == "_unseen"]
    assert use.owner is None
    assert "no owner recorded: _unseen" in differences(recorded, now._replace(owners=now.owners | {"_unseen": []}))


def test_a_method_that_is_newly_overridden_is_found() -> None:
    found = uses_in(streams.runtime.consumer, OVERRIDE)
    assert Use("commit", "faust.transport.consumer:Consumer", "streams/runtime/consumer.py:3") in found

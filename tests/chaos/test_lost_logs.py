"""A log that has lost something is noticed before anything of it is decided; without the look nobody would know."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import TopicPartition as AioTopicPartition
from kafka import TopicPartition
from kafka.errors import NoError
from kafka.structs import OffsetAndMetadata

from connect.provisioning import topic_request
from connect.topics import COMMANDS, all_topics
from ops import skipping
from settings import Settings
from tests.chaos.sale import Sale
from tests.chaos.world import KEY, World
from tests.eventually import eventually


def sold(world: World) -> Sale:
    """A worker has decided a sale and has ended."""
    sale = Sale(world)
    sale.go_on(200)
    world.start()
    world.settle()
    world.stop()
    world.empty_group()
    return sale


def places(world: World) -> list[TopicPartition]:
    return [TopicPartition(world.commands, number) for number in range(world.partitions)]


def is_done(answers: dict[Any, Any]) -> bool:
    """Whether Kafka did what it was asked for: it refuses while a member of the group is left."""
    return all(answer is NoError for answer in answers.values())


def delete_records(world: World) -> None:
    """As retention does: nothing of what is in the log now stays."""
    world.admin.delete_records(world.ends(places(world)))


def forget_offsets(world: World) -> None:
    """As a broker does when a group has had no member for long."""

    eventually(lambda: is_done(world.admin.delete_group_offsets(world.group, places(world))), within=20, pause=0.5)


def make_anew(world: World) -> None:
    """The log has lost all that it had, and the group's offsets are what they were."""
    [found] = world.admin.list_group_offsets({world.group: places(world)}).values()
    world.admin.delete_topics([world.commands])
    settings = Settings.model_validate({"partitions": world.partitions, "ticket_key": KEY})
    [topic] = [topic for topic in all_topics() if topic.name == COMMANDS]
    eventually(lambda: world.commands not in world.admin.list_topics(), within=20, pause=0.2)
    world.admin.create_topics({world.commands: topic_request(topic, settings)})
    world.admin.wait_for_topics([world.commands])
    world.sent.clear()
    commit(world, {place: each.offset for place, each in found.items()})


def commit(world: World, offsets: dict[TopicPartition, int]) -> None:
    """Set the group's offsets."""
    wanted = {place: OffsetAndMetadata(offset, "", -1) for place, offset in offsets.items()}
    eventually(lambda: is_done(world.admin.alter_group_offsets(world.group, wanted)), within=20, pause=0.5)


def refused(world: World) -> str:
    """The last words of a worker that does not begin."""
    world.start(ready=False)
    assert world.ended() > 0
    world.empty_group()
    return world.log().read_text()


def test_commands_that_were_deleted_before_they_were_read_end_the_worker(world: World) -> None:
    sale = sold(world)
    sale.go_on(100)
    delete_records(world)
    assert "were deleted before they were read" in refused(world)


def test_they_are_passed_over_in_silence_without_the_look(world: World) -> None:
    sale = sold(world)
    sale.go_on(100)
    delete_records(world)
    sale.go_on(50)
    world.start(without="log check,input watch")
    world.settle()


def test_a_group_whose_offsets_are_forgotten_goes_on_where_its_table_ends(world: World) -> None:
    sale = sold(world)
    delete_records(world)
    forget_offsets(world)
    sale.go_on(50)
    world.start()
    world.settle()


def test_a_forgotten_group_and_a_log_that_begins_later_end_the_worker(world: World) -> None:
    sale = sold(world)
    sale.go_on(100)
    delete_records(world)
    forget_offsets(world)
    assert "were deleted before they were read" in refused(world)


def test_a_log_that_ends_before_what_was_decided_ends_the_worker(world: World) -> None:
    sold(world)
    make_anew(world)
    assert "the log ends at offset 0" in refused(world)


@pytest.mark.parametrize("without", ["", "log check"])
def test_a_log_that_was_written_anew_ends_the_worker(world: World, without: str) -> None:
    sold(world)
    make_anew(world)
    Sale(world, seed=1).go_on(500)
    if without:
        world.start(without=without)
        world.settle()
        assert any("never told" in line for line in world.audit().violations())
    else:
        assert "is not the one that was read there" in refused(world)


@pytest.fixture
def operate(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The operator's verbs in this world."""
    done: list[str] = []
    monkeypatch.setattr("ops.actions.record", lambda servers, action, reason, **_: done.append(reason))
    settings = Settings.model_validate({"kafka_servers": world.broker, "ticket_key": KEY})

    def operate(verb: Callable[..., int], partition: int, first: int, last: int) -> int:
        place = AioTopicPartition(world.commands, partition)
        count = verb(settings, place, first, last, "the disk was lost", world.group)
        assert done.pop() == "the disk was lost"
        return count

    return operate


def committed(world: World) -> dict[int, int]:
    [found] = world.admin.list_group_offsets({world.group: places(world)}).values()
    return {place.partition: each.offset for place, each in found.items()}


def untold(world: World) -> set[str]:
    """The purchases that were sent since the log was made anew and have no outcome."""
    bodies = [json.loads(value) for _, value in world.sent]
    told = {json.loads(row.value).get("purchase") for row in world.rows(world.outcomes)}
    return {body["purchase"] for body in bodies if body["kind"] in ("purchase", "hold")} - told


def test_an_operator_leads_the_ledger_past_commands_that_were_deleted(
    world: World, operate: Callable[..., int]
) -> None:
    sale = sold(world)
    sale.go_on(100)
    begun = committed(world)
    delete_records(world)
    refused(world)
    for place, end in world.ends(places(world)).items():
        with pytest.raises(skipping.SkipRefused, match=f"skip up to {end - 1}"):
            operate(skipping.skip, place.partition, begun[place.partition], end - 2)
        assert operate(skipping.skip, place.partition, begun[place.partition], end - 1) == 0
    world.sent.clear()
    sale.go_on(50)
    world.start()
    world.settle()
    assert untold(world) == set()


def test_an_operator_leads_the_ledger_past_the_end_of_a_log_and_loses_no_command(
    world: World, operate: Callable[..., int]
) -> None:
    sold(world)
    begun = committed(world)
    make_anew(world)
    Sale(world, seed=1).go_on(20)
    crashed, other = places(world)  # one after decisions that it had not committed
    commit(world, {crashed: 0})
    refused(world)
    ends = world.ends([crashed])
    assert operate(skipping.skip, crashed.partition, ends[crashed], begun[crashed.partition] - 1) == ends[crashed]
    assert operate(skipping.skip, other.partition, 0, begun[other.partition] - 1) > 0
    world.start()
    world.settle()
    assert untold(world) == set()


def test_an_operator_sends_commands_again_that_lie_under_old_offsets(world: World, operate: Callable[..., int]) -> None:
    sold(world)
    begun = committed(world)
    make_anew(world)
    Sale(world, seed=1).go_on(500)
    crashed, other = places(world)
    commit(world, {crashed: 0})
    refused(world)
    for place, first in ((crashed, begun[crashed.partition] - 1), (other, 0)):
        end = begun[place.partition]
        assert operate(skipping.resend, place.partition, first, end - 1) == end
    world.start()
    world.settle()
    assert untold(world) == set()

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition

from connect.connectors.configuration import Connector
from connect.connectors.probe import HeartbeatTopic, check_publications, wait_until_flowing
from connect.errors import ConnectorFailed, NotFlowing, NotPublished
from connect.topics import HEARTBEAT_ROWS
from tests.unit.connect.fakes import Clock, FakeWay


def healthy(connector: Connector) -> None:
    """Every connector is RUNNING."""


def test_every_connector_is_told_as_soon_as_a_new_row_came_through_it(wanted: list[Connector], clock: Clock) -> None:
    way = FakeWay(wanted)
    flowing = list(wait_until_flowing(way, way, wanted, clock.polling(30), healthy))
    assert sorted(flowing) == [connector.name for connector in wanted]


def test_a_second_connector_on_the_slot_of_the_first_is_found_though_it_is_running(
    wanted: list[Connector], clock: Clock
) -> None:
    account, event, outbox = wanted
    both_on_one = [account, replace(event, config=event.config | {"slot.name": account.slot}), outbox]
    way = FakeWay(both_on_one)
    with pytest.raises(NotFlowing, match=r"through turnstile-event \(slot turnstile_account: read, 0 bytes behind\)"):
        list(wait_until_flowing(way, way, both_on_one, clock.polling(30), healthy))


def test_a_row_from_before_the_slot_is_written_again(wanted: list[Connector], clock: Clock) -> None:
    way = FakeWay(wanted, deaf_beats=3)
    assert len(list(wait_until_flowing(way, way, wanted, clock.polling(30), healthy))) == 3
    assert way.beats == 4


@pytest.mark.parametrize("deaf_beats", [0, 1_000_000])
def test_the_row_is_deleted_whatever_comes_of_it(deaf_beats: int, wanted: list[Connector], clock: Clock) -> None:
    way = FakeWay(wanted, deaf_beats=deaf_beats)
    try:
        list(wait_until_flowing(way, way, wanted, clock.polling(30), healthy))
    except NotFlowing:
        assert deaf_beats
    assert way.rows == set()


def test_a_connector_that_fails_meanwhile_ends_the_wait_at_once(wanted: list[Connector], clock: Clock) -> None:
    def failing(connector: Connector) -> None:
        raise ConnectorFailed(f"connector {connector.name} has failed: no such slot")

    way = FakeWay(wanted, deaf_beats=1_000_000)
    with pytest.raises(ConnectorFailed, match="no such slot"):
        list(wait_until_flowing(way, way, wanted, clock.polling(30), failing))
    assert clock.now == 0


def test_publications_that_hold_what_is_captured_pass(wanted: list[Connector]) -> None:
    check_publications(FakeWay(wanted), wanted)


def test_a_publication_without_the_captured_table_is_named(wanted: list[Connector]) -> None:
    way = FakeWay(wanted)
    way.publications["turnstile_event"] = {"public.heartbeat"}
    expected = "connector turnstile-event: publication turnstile_event lacks public.event; run the migrations, or"
    with pytest.raises(NotPublished, match=expected):
        check_publications(way, wanted)


def test_a_missing_publication_is_named_with_all_its_tables(wanted: list[Connector]) -> None:
    way = FakeWay(wanted)
    del way.publications["turnstile_account"]
    with pytest.raises(NotPublished, match=r"turnstile_account lacks public\.account, public\.heartbeat"):
        check_publications(way, wanted)


class FakeConsumer:
    """A consumer of one partition with the test's records."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.ended = False

    def assign(self, partitions: list[TopicPartition]) -> None:
        assert partitions == [TopicPartition(HEARTBEAT_ROWS, 0)]

    def seek_to_end(self, partition: TopicPartition) -> None:
        self.ended = True

    def position(self, partition: TopicPartition) -> int:
        assert self.ended
        return 0

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        batch, self.records = self.records, []
        return {TopicPartition(HEARTBEAT_ROWS, 0): batch} if batch else {}


def beat(key: str, *senders: str) -> Any:
    return SimpleNamespace(key=key.encode(), headers=[("connector", sender.encode()) for sender in senders])


def test_a_heartbeat_record_counts_for_the_connector_in_its_header_and_only_under_the_key_asked_for() -> None:
    consumer = FakeConsumer()
    topic = HeartbeatTopic(consumer)
    consumer.records = [beat("new", "a"), beat("old", "b"), beat("new", "c"), beat("new", "a"), beat("new")]
    assert topic.connectors_seen("new") == {"a", "c"}
    assert topic.connectors_seen("new") == set()

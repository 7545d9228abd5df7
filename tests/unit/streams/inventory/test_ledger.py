"""How the ledger's agent decides a batch, partition by partition, and what becomes a dead letter."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

import streams.inventory.ledger
import streams.runtime.produce
import streams.runtime.table
from connect.partitioning import home_of, partition_of
from connect.topics import COMMANDS, OUTCOMES, changelog, dead_letters
from streams.inventory.ledger import LedgerAgent
from streams.runtime.app import App
from streams.runtime.kafka_types import Record
from streams.runtime.produce import Produced
from tables.errors import InvariantBroken
from tables.ledger.deadlines import entry_of
from tables.ledger.records import (
    WATERMARK_KEY,
    Watermark,
    decode_event,
    decode_watermark,
    digest_of,
    encode_record,
    event_key,
    purchase_key,
)
from tables.messages.commands import Buy, Cancel, Command, DefineEvent, Hold, LimitHolds, encode_command
from tables.messages.dead_letters import Origin, decode_info
from tables.messages.outcomes import Outcome, OutcomeKind, decode_outcome
from tests.unit.tables.ledger_driver import ADA, EVENT, FLOOR, NOW, definition, lines, purchase_id, ticket_type

KEY = str(EVENT).encode()
HOME = partition_of(KEY, 4)
# Another event on the same partition.
NEIGHBOUR = next(event for number in range(1_000) if home_of(event := UUID(int=number), 4) == HOME)


class Topics:
    """Takes what is appended."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {}
        self.ends: Counter[tuple[str, int]] = Counter()

    async def append(self, app: App, topic: str, partition: int, records: list[Record]) -> Produced:
        self.records.setdefault(topic, []).extend(records)
        begin = self.ends[topic, partition]
        self.ends[topic, partition] += len(records)
        return Produced(range(begin, begin + len(records)), NOW)

    def told(self) -> list[Outcome]:
        """The outcomes, but for how the event stands by then."""
        outcomes = [decode_outcome(record.value) for record in self.records[OUTCOMES]]
        return [replace(outcome, balance=(), facts=None, as_of=-1) for outcome in outcomes]


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Topics:
    topics = Topics()
    for module in (streams.runtime.produce, streams.inventory.ledger, streams.runtime.table):
        monkeypatch.setattr(module, "append", topics.append)
    return topics


@pytest.fixture
def agent(app: App, topics: Topics) -> Iterator[LedgerAgent]:
    agent = LedgerAgent(app)
    yield agent
    agent.table.close()


def message(offset: int, command: Command, partition: int = HOME) -> Any:
    return SimpleNamespace(
        topic=COMMANDS,
        partition=partition,
        offset=offset,
        timestamp=NOW / 1000,
        key=KEY,
        value=encode_command(command),
        headers=[],
    )


BOUGHT: list[Command] = [
    DefineEvent(EVENT, 1, definition(ticket_type())),
    Buy(EVENT, purchase_id(1), ADA, lines([(FLOOR, 6)])),
]
PART = Cancel(EVENT, purchase_id(1), ADA, None, lines([(FLOOR, 2)]))


@pytest.mark.parametrize("partition", [HOME, (HOME + 1) % 4], ids=["at home", "astray"])
def test_a_partial_cancel_without_a_request_is_a_dead_letter_however_often_and_the_next_is_decided(
    agent: LedgerAgent, topics: Topics, partition: int
) -> None:
    whole = Cancel(EVENT, purchase_id(1), ADA)
    asyncio.run(agent._handle_partition(HOME, [message(place, command) for place, command in enumerate(BOUGHT)]))
    asyncio.run(agent._handle_partition(partition, [message(place, PART, partition) for place in (2, 3, 4)]))
    asyncio.run(agent._handle_partition(HOME, [message(5, whole)]))
    letters = topics.records[dead_letters("ledger")]
    said = [found[0] for record in letters if (found := decode_info(record.headers))]
    assert [ours.origin for ours in said] == [Origin(COMMANDS, partition, place) for place in (2, 3, 4)]
    assert all("`request`" in ours.error for ours in said)
    assert {record.value for record in letters} == {encode_command(PART)}
    assert topics.records.get(COMMANDS, []) == []
    assert [(outcome.offset, outcome.kind) for outcome in topics.told()] == [
        (0, OutcomeKind.CHANGED),
        (1, OutcomeKind.CONFIRMED),
        (5, OutcomeKind.CANCELLED),
    ]


def test_a_command_on_another_partition_goes_to_its_own_undecided(agent: LedgerAgent, topics: Topics) -> None:
    astray = (HOME + 1) % 4
    asyncio.run(agent._handle_partition(astray, [message(0, BOUGHT[1], astray)]))
    assert [(record.key, record.value) for record in topics.records[COMMANDS]] == [(KEY, encode_command(BOUGHT[1]))]
    assert (topics.ends[COMMANDS, HOME], topics.records[OUTCOMES]) == (1, [])


def test_a_partial_cancel_that_an_earlier_version_decided_is_told_again_as_it_was(
    agent: LedgerAgent, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is replayed across an upgrade."""
    log = [message(place, command) for place, command in enumerate([*BOUGHT, PART])]
    with monkeypatch.context() as before:
        before.setattr(Cancel, "is_repeatable", True)
        asyncio.run(agent._handle_partition(HOME, log))
    first = topics.told()
    del topics.records[OUTCOMES]
    asyncio.run(agent.app.on_partitions_assigned.send(set()))
    asyncio.run(agent._handle_partition(HOME, log))
    assert topics.told() == first
    assert first[-1].lines[0].quantity == 2
    assert dead_letters("ledger") not in topics.records


def test_after_another_assignment_the_stock_is_what_others_have_left(agent: LedgerAgent, topics: Topics) -> None:
    asyncio.run(agent._handle_partition(HOME, [message(place, command) for place, command in enumerate(BOUGHT)]))
    known = agent._ledgers.pop(HOME)
    asyncio.run(agent._handle_partition(HOME, [message(2, Buy(EVENT, purchase_id(2), ADA, lines([(FLOOR, 3)])))]))
    agent._ledgers[HOME] = known
    asyncio.run(agent.app.on_partitions_assigned.send(set()))
    asyncio.run(agent._handle_partition(HOME, [message(3, Buy(EVENT, purchase_id(3), ADA, lines([(FLOOR, 3)])))]))
    sold, refused = topics.told()[2:]
    assert (sold.kind, refused.kind) == (OutcomeKind.CONFIRMED, OutcomeKind.REJECTED)


def test_the_last_command_of_a_batch_is_remembered_and_a_replay_does_not_go_back_behind_it(
    agent: LedgerAgent, topics: Topics
) -> None:
    log = [message(place, command) for place, command in enumerate(BOUGHT)]
    assert agent.watermark(HOME) is None
    for batch in (log[:1], log):
        asyncio.run(agent._handle_partition(HOME, batch))
    last = Watermark(1, digest_of(KEY, log[1].value, NOW))
    assert agent.watermark(HOME) == last
    asyncio.run(agent._handle_partition(HOME, log[:1]))
    assert agent.watermark(HOME) == last
    kept = {record.key: record.value for record in topics.records[changelog("ledger")]}
    assert decode_watermark(kept[WATERMARK_KEY] or b"") == last


def test_another_record_of_the_offset_that_a_decision_made_is_not_taken_over(
    agent: LedgerAgent, topics: Topics
) -> None:
    asyncio.run(agent._handle_partition(HOME, [message(place, command) for place, command in enumerate(BOUGHT)]))
    key = event_key(EVENT)
    record = agent.table.read(HOME, key) or b""
    agent.table.apply_changes(HOME, [(key, record)])
    with pytest.raises(InvariantBroken, match="two different records of input offset 1"):
        agent.table.apply_changes(HOME, [(key, encode_record(replace(decode_event(record), version=9)))])


def test_a_batch_of_dead_letters_is_remembered_too(agent: LedgerAgent, topics: Topics) -> None:
    asyncio.run(agent._handle_partition(HOME, [message(7, PART)]))
    assert agent.watermark(HOME) == Watermark(7, digest_of(KEY, encode_command(PART), NOW))


def test_limits_on_holds_are_of_the_partition_that_they_lie_in(agent: LedgerAgent, topics: Topics) -> None:
    other = (HOME + 1) % 4
    for partition, tickets in ((other, 1), (HOME, 5)):
        asyncio.run(agent._handle_partition(partition, [message(0, LimitHolds(max_tickets=tickets), partition)]))
    held = Hold(EVENT, purchase_id(1), ADA, lines([(FLOOR, 6)]))
    asyncio.run(agent._handle_partition(HOME, [message(1, BOUGHT[0]), message(2, held)]))
    assert topics.told()[-1].figures == {"limit": 5, "requested": 6, "held": 0}
    assert topics.records[COMMANDS] == []


def test_the_timer_learns_of_holds(agent: LedgerAgent, topics: Topics) -> None:
    asyncio.run(agent.hold_expiry.expire(HOME))
    held = Hold(EVENT, purchase_id(1), ADA, lines([(FLOOR, 1)]), 5)
    asyncio.run(agent._handle_partition(HOME, [message(0, BOUGHT[0]), message(1, held)]))
    assert agent.hold_expiry.first_entry(HOME) == entry_of(NOW + 5_000, purchase_key(EVENT, purchase_id(1)))


def test_events_that_take_turns_in_a_batch_are_told_in_the_order_of_the_log(agent: LedgerAgent, topics: Topics) -> None:
    turns = [EVENT, NEIGHBOUR, EVENT, NEIGHBOUR, EVENT]
    log: list[Command] = [DefineEvent(event, 1, definition(ticket_type(quantity=2))) for event in (NEIGHBOUR, EVENT)]
    log += [Buy(event, purchase_id(number), ADA, lines([(FLOOR, 1)])) for number, event in enumerate(turns)]
    asyncio.run(agent._handle_partition(HOME, [message(place, command) for place, command in enumerate(log)]))
    assert [(outcome.offset, outcome.event, outcome.kind) for outcome in topics.told()] == [
        (0, NEIGHBOUR, OutcomeKind.CHANGED),
        (1, EVENT, OutcomeKind.CHANGED),
        (2, EVENT, OutcomeKind.CONFIRMED),
        (3, NEIGHBOUR, OutcomeKind.CONFIRMED),
        (4, EVENT, OutcomeKind.CONFIRMED),
        (5, NEIGHBOUR, OutcomeKind.CONFIRMED),
        (6, EVENT, OutcomeKind.REJECTED),
    ]


def test_limits_on_holds_apply_to_all_events_behind_them_in_a_batch_and_to_none_before(
    agent: LedgerAgent, topics: Topics
) -> None:
    on_sale = [DefineEvent(event, 1, definition(ticket_type(quantity=20))) for event in (EVENT, NEIGHBOUR)]
    holds = [Hold(event, purchase_id(1), ADA, lines([(FLOOR, 6)])) for event in (EVENT, NEIGHBOUR)]
    again = Hold(EVENT, purchase_id(2), ADA, lines([(FLOOR, 6)]))
    log: list[Command] = [*on_sale, holds[0], LimitHolds(max_tickets=5), holds[1], again]
    asyncio.run(agent._handle_partition(HOME, [message(place, command) for place, command in enumerate(log)]))
    assert [(outcome.offset, outcome.event, outcome.kind) for outcome in topics.told()[2:]] == [
        (2, EVENT, OutcomeKind.HELD),
        (4, NEIGHBOUR, OutcomeKind.REJECTED),
        (5, EVENT, OutcomeKind.REJECTED),
    ]

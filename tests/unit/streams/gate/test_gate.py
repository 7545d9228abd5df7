"""Requests and outcomes through the gate's agents: commands, answers, dead letters, and what a crash repeats."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from faust.types import TP

import streams.gate.requests
from connect.records.codecs import UnpackError
from connect.records.fetching import BadChecksum, SkippedOffsets
from connect.topics import COMMANDS, answers, dead_letters, requests
from streams.gate.requests import UNREADABLE_MAX_ANSWERS
from streams.runtime.kafka_types import Record
from streams.runtime.table import OffsetTable
from tables.gate.admission import purchase_of
from tables.gate.quota import BURST_S, PACE
from tables.gate.records import RING_REQUESTS, RequestRecord, checked_key, encode_record, quota_key
from tables.messages.answers import KEY_MAX_BYTES
from tables.messages.commands import Buy, Confirm, DefineEvent, Exchange, decode_command
from tables.messages.request_origins import ORIGIN, RequestOrigin, encode_origin
from tables.messages.sections import DefineSection, PlanRow, PlanSeat
from tests.unit.streams.gate.conftest import (
    DRAFT,
    HOME,
    ID,
    KEY,
    KIOSK,
    NOBODY,
    PARTNER,
    RATE,
    Gate,
    Stopped,
    World,
    body,
    decision,
    message,
    outcome_of,
)
from tests.unit.tables.ledger_driver import ADA, EVENT, NOW


def test_a_purchase_goes_to_the_log_after_its_event_and_its_outcome_is_its_answer(gate: Gate, world: World) -> None:
    gate.handle(message(7))
    (define_at, define), (buy_at, buy) = world.records[COMMANDS]
    assert isinstance(decode_command(define.value), DefineEvent)
    assert (define_at, buy_at, buy.key) == (HOME, HOME, KEY)
    assert decode_command(buy.value) == Buy(EVENT, purchase_of("partner", ID), ADA, [*decode_command(buy.value).lines])  # type: ignore[union-attr]
    assert not world.answers()

    gate.decide(outcome_of(buy, decision()))
    [(partition, answer)] = world.records[answers("partner")]
    assert (partition, answer.key) == (HOME, KEY)
    assert dict(answer.headers) == {"correlation-id": b"c7", "request": f"{PARTNER}[{HOME}]@7".encode()}
    [decided] = world.answers()
    assert (decided.status.value, decided.purchase) == ("decided", ID)
    assert decided.outcome is not None
    assert decided.outcome.kind.value == "confirmed"


def test_an_event_is_announced_once_and_again_for_a_ticket_type_that_is_new(gate: Gate, world: World) -> None:
    gate.handle(message(1), message(2))
    gate.handle(message(3), message(4, body("confirm", event=str(uuid4())), key=None))
    assert world.reads == 1
    unknown = body(lines=[{"ticketType": str(uuid4()), "quantity": 1}])
    gate.handle(message(5, unknown))
    assert world.reads == 2
    gate.handle(message(6, unknown), message(7, unknown))
    written = [decode_command(record.value) for _, record in world.records[COMMANDS]]
    assert [each.version for each in written if isinstance(each, DefineEvent)] == [1]  # nothing new is known of it
    world.version = 2
    gate.handle(message(8, unknown))
    written = [decode_command(record.value) for _, record in world.records[COMMANDS]]
    assert [each.version for each in written if isinstance(each, DefineEvent)] == [1, 2]


def test_the_pieces_of_a_plan_are_announced_before_the_definition_and_each_once(gate: Gate, world: World) -> None:
    row = PlanRow("1", [PlanSeat("1", 0, 0, 0)])
    types = [world.events[EVENT].ticket_types[0].id]
    world.pieces[EVENT] = [
        DefineSection(event=EVENT, plan=1, sections=1, number=0, section="A", categories=types, rows=[row])
    ]
    gate.handle(message(1))
    gate.handle(message(2))
    written = [decode_command(record.value) for _, record in world.records[COMMANDS]]
    assert [type(each) for each in written] == [DefineSection, DefineEvent, Buy, Buy]
    assert world.reads == 1


def test_an_exchange_is_let_through_under_the_producers_own_id(gate: Gate, world: World) -> None:
    gate.handle(message(1, body("exchange", request=str(ID), give=["A-1-1"], take=["A-1-2"])))
    [exchange] = world.commands()
    assert isinstance(exchange, Exchange)
    assert (exchange.purchase, exchange.give, exchange.take) == (purchase_of("partner", ID), ("A-1-1",), ("A-1-2",))


@pytest.mark.parametrize(
    ("request_", "status", "field"),
    [
        (body(account=str(NOBODY)), "unknown-account", "account"),
        (body("confirm", account=str(NOBODY)), "unknown-account", "account"),
        (body("expire"), "forbidden", "kind"),
        (body("define-section"), "forbidden", "kind"),
        (body("extend-hold"), "forbidden", "kind"),
        (body(lines=[]), "malformed", "lines"),
        (b"nope", "malformed", ""),
    ],
)
def test_what_may_not_pass_is_answered_and_does_not_reach_the_log(
    request_: Any, status: str, field: str, gate: Gate, world: World
) -> None:
    gate.handle(message(3, request_))
    [answer] = world.answers()
    assert (answer.status.value, answer.field) == (status, field)
    [(_, record)] = world.records[answers("partner")]
    assert dict(record.headers)["correlation-id"] == b"c3"
    assert not world.commands()
    is_malformed = status in ("malformed", "forbidden")
    assert len(world.records.get(dead_letters("gate"), [])) == is_malformed


def test_a_confirm_with_a_payment_needs_the_right_to_take_payments(gate: Gate, world: World) -> None:
    paid = body("confirm", payment="bank 1")
    gate.handle(message(3, paid))
    gate.handle(message(3, paid, topic=KIOSK), producer="kiosk")
    [answer] = world.answers()
    assert (answer.status.value, answer.field, answer.purchase) == ("forbidden", "payment", ID)
    assert [command.payment for command in world.commands() if isinstance(command, Confirm)] == ["bank 1"]


@pytest.mark.parametrize("event", [DRAFT, UUID(int=0xF00)], ids=["draft", "none"])
def test_an_event_that_nobody_may_see_is_unknown(event: UUID, gate: Gate, world: World) -> None:
    gate.handle(message(3, body(event=str(event)), key=str(event).encode()))
    assert world.statuses() == ["unknown-event"]
    assert COMMANDS not in world.records


def test_a_deleted_account_buys_no_more_but_may_give_back(gate: Gate, world: World) -> None:
    gate.accounts.apply([b"{", None, json.dumps({"id": str(ADA), "__lsn": 2, "__deleted": "true"}).encode()])
    gate.handle(message(1), message(2, body("cancel")))
    assert world.statuses() == ["unknown-account"]
    assert len(world.commands()) == 1


def test_a_request_that_was_let_through_is_answered_by_its_decision_though_its_account_is_deleted_meanwhile(
    gate: Gate, world: World
) -> None:
    gate.handle(message(1))
    gate.accounts.apply([json.dumps({"id": str(ADA), "__lsn": 2, "__deleted": "true"}).encode()])
    gate.handle(message(1))  # read again after a crash
    [first, again] = [record for _, record in world.records[COMMANDS]][1:]
    assert first == again
    gate.decide(outcome_of(first, decision()), outcome_of(again, decision(), 1))
    assert world.statuses() == ["decided"]


def test_a_confirm_of_a_foreign_purchase_names_one_that_does_not_exist(gate: Gate, world: World) -> None:
    gate.handle(message(1))
    [bought] = world.commands()
    for id_ in (ID, bought.purchase):
        gate.handle(message(1, body("confirm", purchase=str(id_)), topic=KIOSK), producer="kiosk")
    confirms = [command for command in world.commands() if isinstance(command, Confirm)]
    assert len(confirms) == 2
    assert bought.purchase not in {command.purchase for command in confirms}


def test_a_record_on_a_wrong_partition_goes_to_the_right_one_and_is_answered_where_it_lies(
    gate: Gate, world: World
) -> None:
    away = (HOME + 1) % 4
    gate.handle(message(1, partition=away))
    [_, (home, command)] = world.records[COMMANDS]
    assert home == HOME
    gate.decide(outcome_of(command, decision()))
    [(partition, _)] = world.records[answers("partner")]
    assert partition == away


def test_beyond_the_quota_a_request_is_told_when_to_try_again_and_other_producers_notice_nothing(
    gate: Gate, world: World
) -> None:
    burst = RATE * BURST_S
    gate.handle(*(message(offset) for offset in range(burst + 2)))
    assert len(world.commands()) == burst
    assert world.statuses() == ["throttled"] * 2
    retry_at = world.answers()[0].retry_at
    assert retry_at is not None
    assert round(retry_at.timestamp() * 1000) == NOW + 1_000 // RATE
    gate.handle(message(0, topic=KIOSK), producer="kiosk")
    assert len(world.commands()) == burst + 1


def test_what_the_quota_lets_through_at_once_goes_on_to_the_ledger_piece_by_piece(
    gate: Gate, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams.gate.requests, "time", SimpleNamespace(monotonic=lambda: 100.0))
    away = (HOME + 1) % 4
    gate.handle(*(message(offset) for offset in range(20)), *(message(offset, partition=away) for offset in range(4)))
    gate.handle(message(0, topic=KIOSK), producer="kiosk")
    assert world.waited == []
    gate.handle(message(20, b"nope"))
    assert world.waited == [20 / (PACE * RATE)]
    gate.handle(message(21))
    assert world.waited == [20 / (PACE * RATE)]
    assert len(world.commands()) == 26


def test_partitions_are_handled_in_parallel(gate: Gate, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    all_begun = asyncio.Event()

    async def publish(self: OffsetTable, partition: int, *groups: dict[bytes, bytes]) -> None:
        begun.append(partition)
        if len(begun) == 2:
            all_begun.set()
        await asyncio.wait_for(all_begun.wait(), 5)

    monkeypatch.setattr(OffsetTable, "publish", publish)
    gate.handle(message(1), message(1, partition=(HOME + 1) % 4))
    assert len(world.commands()) == 2


@pytest.mark.parametrize("ends_at", [COMMANDS, answers("partner"), dead_letters("gate")])
def test_a_crash_after_the_check_repeats_the_same_bytes(ends_at: str, gate: Gate, world: World) -> None:
    burst = RATE * BURST_S
    batch = [message(0, body(account=str(NOBODY))), message(1, b"nope"), *(message(2 + n) for n in range(burst))]
    gate.handle(message(100, body(), topic=KIOSK), producer="kiosk")  # the event is known
    world.records.clear()
    world.ends_at = ends_at
    with pytest.raises(Stopped):
        gate.handle(*batch)
    before = world.records | {}
    # Meanwhile the account is there, and the other one is gone.
    rows = [{"id": str(NOBODY), "__lsn": 2}, {"id": str(ADA), "__lsn": 3, "__deleted": "true"}]
    gate.accounts.apply([json.dumps(row).encode() for row in rows])

    world.records = {}
    gate.handle(*batch)
    assert world.statuses() == ["malformed", "unknown-account", "throttled"]
    assert len(world.commands()) == burst - 1
    for topic, records in before.items():
        assert world.records[topic][: len(records)] == records


def test_what_an_earlier_version_let_through_is_not_checked_again(gate: Gate, world: World) -> None:
    """It recorded each check, and its record of the quota had no time."""
    table, origin = gate.journal.table, RequestOrigin(PARTNER, HOME, 1, NOW)
    known = {checked_key(origin): RequestRecord(1, NOW), quota_key(PARTNER): (1, NOW * 1_000)}
    table.store(HOME, {key: encode_record(record) for key, record in known.items()})
    gone = {"id": str(ADA), "__lsn": 3, "__deleted": "true"}
    gate.accounts.apply([json.dumps(gone).encode()])
    gate.handle(message(0), message(1), message(2))
    assert world.statuses() == ["unknown-account"] * 2
    assert len(world.commands()) == 1


def test_the_refusal_of_an_older_request_in_the_same_place_of_the_ring_says_nothing_of_a_later_one(
    gate: Gate, world: World
) -> None:
    gate.handle(message(3, body(account=str(NOBODY))))
    later = message(3 + RING_REQUESTS)
    for _ in range(2):  # the second time it is a replay
        gate.handle(later)
    assert world.statuses() == ["unknown-account"]
    assert len(world.commands()) == 2


def test_requests_of_a_topic_that_was_made_anew_are_checked(gate: Gate, world: World) -> None:
    gate.handle(message(7))
    gate.handle(message(3, body(account=str(NOBODY)), timestamp=NOW / 1_000 + 1))
    assert world.statuses() == ["unknown-account"]
    assert len(world.commands()) == 1


def test_a_crash_before_the_check_is_recorded_has_had_no_effect(gate: Gate, world: World) -> None:
    gate.handle(message(100, body(), topic=KIOSK), producer="kiosk")
    world.records.clear()
    world.ends_at = "changelog"
    with pytest.raises(Stopped):
        gate.handle(message(1), message(2, b"nope"))
    assert not world.records


def test_an_outcome_that_comes_again_is_answered_once(gate: Gate, world: World) -> None:
    gate.handle(message(1))
    [_, (_, command)] = world.records[COMMANDS]
    twice = [outcome_of(command, decision(), offset) for offset in (5, 6)]
    gate.decide(*twice)
    odd = outcome_of(command, decision(), 7)
    odd.value = b"{"
    gate.decide(odd, outcome_of(command, decision(), 8))
    assert world.statuses() == ["decided"]
    assert [record.value for _, record in world.records[dead_letters("answers")]] == [b"{"]


def test_a_crash_between_an_answer_and_its_record_repeats_the_same_bytes(gate: Gate, world: World) -> None:
    gate.handle(message(1))
    [_, (_, command)] = world.records[COMMANDS]
    world.ends_at = answers("partner")
    with pytest.raises(Stopped):
        gate.decide(outcome_of(command, decision()))
    assert not world.answers()
    gate.decide(outcome_of(command, decision()))
    assert world.statuses() == ["decided"]


def test_a_request_sent_again_has_an_answer_of_its_own(gate: Gate, world: World) -> None:
    gate.handle(message(1), message(2))
    [_, (_, first), (_, again)] = world.records[COMMANDS]
    assert first.value == again.value
    gate.decide(outcome_of(first, decision()), outcome_of(again, decision(), 1))
    places = [dict(record.headers)["request"] for _, record in world.records[answers("partner")]]
    assert places == [f"{PARTNER}[{HOME}]@{offset}".encode() for offset in (1, 2)]


@pytest.mark.parametrize(
    "header",
    [
        b"nonsense",
        encode_origin(RequestOrigin("ticket-commands", 0, 1, NOW)),
        encode_origin(RequestOrigin(requests("nobody"), 0, 1, NOW)),
        encode_origin(RequestOrigin(PARTNER, 4, 1, NOW)),
    ],
)
def test_an_outcome_with_a_foreign_header_has_no_answer(header: bytes, gate: Gate, world: World) -> None:
    gate.decide(outcome_of(Record(KEY, b"", ((ORIGIN, header),)), decision()))
    assert not world.records


def test_an_outcome_without_a_request_has_no_answer(gate: Gate, world: World) -> None:
    gate.decide(outcome_of(Record(KEY, b""), decision()))
    assert not world.records


def test_an_answer_has_as_much_of_a_key_as_fits(gate: Gate, world: World) -> None:
    key = bytes(range(256)) * 12_000  # 3 MB, as a packed record may have
    gate.handle(message(1, key=key), message(2, key=b""), message(3, key=None))
    keys = [record.key for _, record in world.records[answers("partner")]]
    assert keys == [key[:KEY_MAX_BYTES], b"", None]


def test_what_the_fetcher_can_not_read_is_a_dead_letter_and_answered_for_each_offset(gate: Gate, world: World) -> None:
    skip = SkippedOffsets(4, 6, BadChecksum("the checksum of the batch is wrong"), b"raw")
    assert asyncio.run(gate.unreadable.isolate(TP(PARTNER, 2), [skip]))
    assert world.statuses() == ["malformed"] * 3
    assert not world.answers("kiosk")
    places = [dict(record.headers)["request"] for _, record in world.records[answers("partner")]]
    assert places == [f"{PARTNER}[2]@{offset}".encode() for offset in (4, 5, 6)]
    assert len(world.records[dead_letters("gate")]) == 1


def test_a_bomb_that_claims_millions_of_requests_is_answered_piece_by_piece_up_to_a_limit(
    gate: Gate, world: World
) -> None:
    skip = SkippedOffsets(4, 4_000_003, UnpackError("1000 bytes unpack to more than 33554432"), b"raw")
    assert asyncio.run(gate.unreadable.isolate(TP(PARTNER, 2), [skip]))
    assert len(world.records[answers("partner")]) == UNREADABLE_MAX_ANSWERS
    assert max(world.appended) <= 1_000
    assert len(world.records[dead_letters("gate")]) == 1

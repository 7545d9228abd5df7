"""The verdict on an on-sale, from topics, views, mails and index: is a promise broken?"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import ACCEPTED, CONFLICT, CREATED
from typing import Any
from uuid import UUID

from aiohttp import ClientSession
from kafka import TopicPartition

from connect.records.consumer import make_consumer
from connect.topics import OUTCOMES
from lab.demo.onsale import BASE, OnSale, Request
from lab.target import Target
from tables.errors import MalformedRecord
from tables.messages.outcomes import Outcome, OutcomeKind, decode_outcome
from tables.messages.reasons import Reason

TIMEOUT_S = 60.0
QUIET_S = 1.5


@dataclass(slots=True)
class Verdict:
    """The figures of an on-sale and the promises that it broke."""

    decisions: dict[UUID, Outcome] = field(default_factory=dict)
    sold: dict[UUID, int] = field(default_factory=dict)
    turned_away: list[Request] = field(default_factory=list)
    mails: int = 0
    found: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def confirmed(self) -> int:
        """Purchases that got their tickets."""
        return sum(outcome.kind is OutcomeKind.CONFIRMED for outcome in self.decisions.values())

    @property
    def refused(self) -> Counter[str]:
        """Purchases that got none, by reason."""
        reasons = Counter(str(one.reason) for one in self.decisions.values() if one.kind is OutcomeKind.REJECTED)
        return reasons + Counter({str(Reason.SOLD_OUT): len(self.turned_away)})


def outcomes_of(target: Target, sale: OnSale) -> list[Outcome]:
    """Every outcome of the event, once all purchases have one or time is up."""
    consumer = make_consumer(target.kafka)
    try:
        partitions = [TopicPartition(OUTCOMES, number) for number in range(target.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        return _collect(consumer, sale)
    finally:
        consumer.close()


def _collect(consumer: Any, sale: OnSale) -> list[Outcome]:
    missing = {request.purchase for request in sale.requests if not request.turned_away}
    found: list[Outcome] = []
    deadline = time.monotonic() + TIMEOUT_S
    last = time.monotonic()
    key = str(sale.event).encode()
    while time.monotonic() < deadline and (missing or time.monotonic() - last < QUIET_S):
        for records in consumer.poll(timeout_ms=300).values():
            for record in records:
                if record.key == key and (outcome := _readable(record.value or b"")) and outcome.purchase:
                    found.append(outcome)
                    missing.discard(outcome.purchase)
                    last = time.monotonic()
    return found


def _readable(value: bytes) -> Outcome | None:
    try:
        return decode_outcome(value)
    except MalformedRecord:
        return None


async def judge(target: Target, http: ClientSession, sale: OnSale) -> Verdict:
    """Check every promise."""
    verdict = Verdict()
    one_decision_each(sale, await asyncio.to_thread(outcomes_of, target, sale), verdict)
    await nothing_oversold(target, http, sale, verdict)
    _nothing_withheld(sale, verdict)
    answers_tell_the_truth(sale, verdict)
    await _mails(target, http, sale, verdict)
    await _searchable(target, http, sale, verdict)
    return verdict


def one_decision_each(sale: OnSale, outcomes: list[Outcome], verdict: Verdict) -> None:
    """Note what each purchase came to, and which ones got no decision or two."""
    for outcome in outcomes:
        assert outcome.purchase is not None
        first = verdict.decisions.setdefault(outcome.purchase, outcome)
        if (first.kind, first.reason, first.lines) != (outcome.kind, outcome.reason, outcome.lines):
            verdict.broken.append(f"promise 3: purchase {outcome.purchase} was decided twice, differently")
    unknown = [request for request in sale.requests if request.purchase not in verdict.decisions]
    verdict.turned_away = [request for request in unknown if request.turned_away]
    undecided = [request for request in unknown if not request.turned_away]
    if undecided:
        verdict.broken.append(f"promise 3: {len(undecided)} accepted purchases have no decision")


async def nothing_oversold(target: Target, http: ClientSession, sale: OnSale, verdict: Verdict) -> None:
    """Hold what the ledger's view says is sold against the stock and the confirmed purchases."""
    confirmed: Counter[UUID] = Counter()
    for outcome in verdict.decisions.values():
        if outcome.kind is OutcomeKind.CONFIRMED:
            confirmed.update({line.ticket_type: line.quantity for line in outcome.lines})
    async with http.get(f"{target.worker}/api/event/{sale.event}/") as answer:
        view = await answer.json()
    for shelf in view["ticketTypes"]:
        kind = UUID(shelf["ticketType"])
        name, quantity = sale.types[kind]
        verdict.sold[kind] = shelf["sold"]
        if shelf["sold"] > quantity:
            verdict.broken.append(f"promise 1: {name} sold {shelf['sold']} of {quantity}")
        if shelf["sold"] != confirmed[kind]:
            verdict.broken.append(f"promise 1: {name} sold {shelf['sold']}, but {confirmed[kind]} are confirmed")


def _nothing_withheld(sale: OnSale, verdict: Verdict) -> None:
    wanted = {request.purchase: request for request in sale.requests}
    rejected = [purchase for purchase, one in verdict.decisions.items() if one.kind is OutcomeKind.REJECTED]
    for request in [*(wanted[purchase] for purchase in rejected if purchase in wanted), *verdict.turned_away]:
        left = sale.types[request.ticket_type][1] - verdict.sold.get(request.ticket_type, 0)
        if left >= request.quantity:
            verdict.broken.append(f"promise 2: purchase {request.purchase} was refused though {left} tickets are left")


def answers_tell_the_truth(sale: OnSale, verdict: Verdict) -> None:
    """Hold every answer against the decision."""
    for request in sale.requests:
        decided = verdict.decisions.get(request.purchase)
        for status, word in request.answers:
            if not _truthful(status, word, decided, request):
                verdict.broken.append(f"promise 3: {request.purchase} was answered {status} {word}, decided {decided}")


def _truthful(status: int, word: str, decided: Outcome | None, request: Request) -> bool:
    if status == ACCEPTED or (status == CONFLICT and request.times > 1 and "running" in word):
        return True
    if decided is None:
        return request.turned_away
    if status == CREATED:
        return decided.kind is OutcomeKind.CONFIRMED
    return status == CONFLICT and decided.kind is OutcomeKind.REJECTED and word == decided.reason


async def _mails(target: Target, http: ClientSession, sale: OnSale, verdict: Verdict) -> None:
    subject = sale.title
    deadline = time.monotonic() + TIMEOUT_S
    ids: list[str] = []
    while len(ids) < verdict.confirmed and time.monotonic() < deadline:
        await asyncio.sleep(QUIET_S)
        async with http.get(target.mails, params={"q": subject}) as answer:
            ids = [mail["message_id"] for mail in await answer.json() if subject in mail["subject"]]
    verdict.mails = len(ids)
    if len(ids) != len(set(ids)):
        verdict.broken.append(f"promise 6: {len(ids) - len(set(ids))} mails came twice")
    if verdict.mails != verdict.confirmed:
        verdict.broken.append(f"promise 6: {verdict.confirmed} purchases are confirmed, {verdict.mails} mails came")


async def _searchable(target: Target, http: ClientSession, sale: OnSale, verdict: Verdict) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        async with http.get(f"{target.api}{BASE}/events/search", params={"q": sale.title}) as answer:
            if answer.ok:
                verdict.found = sum(item["id"] == str(sale.event) for item in (await answer.json())["items"])
        if verdict.found:
            return
        await asyncio.sleep(0.3)
    verdict.broken.append(f"promise 5: the event {sale.title!r} can't be found")

"""Payments decided by the table and carried out by a hostile Paper: its own books keep the promise in the end."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

import tables.payments.transitions
from providers.paper import SIGNATURE_HEADER, PaperProvider
from providers.port import PaymentQuestion, WebhookRefused
from stack.paper import HOSTILE_DELAY_MAX_S, Paper
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.payments.payment import apply
from tables.payments.records import PaymentRecord, Task
from tables.payments.tasks import COMMAND_TASKS, payment_request_of
from tables.payments.transitions import PaymentState, Signal, Step, TaskKind
from tests.unit.providers.paper_process import KEY, running_paper
from tests.unit.tables.payments.payment_world import AT_MS, EVENT, Ledger, event

K = PaymentEventKind
BUYERS = 24


class Purchase:
    """One purchase: its ledger, its payment, and what is to be done."""

    def __init__(self, provider: PaperProvider) -> None:
        self.id = uuid4()
        self.provider = provider
        self.ledger = Ledger()
        self.record: PaymentRecord | None = None
        self.offset = 0
        self.tasks: list[Task] = []

    def tell(self, happened: PaymentEvent) -> None:
        try:
            self.record, tasks = apply(self.record, self.id, happened, self.offset, AT_MS)
        except MalformedRecord:
            return
        self.offset += 1
        self.tasks += tasks

    def hear(self) -> None:
        while self.ledger.outcomes:
            outcome = msgspec.structs.replace(self.ledger.outcomes.pop(0), purchase=self.id)
            if outcome.kind is K.CONFIRMED and self.record is not None:
                outcome = msgspec.structs.replace(outcome, reference=self.record.confirm_reference(self.id))
            self.tell(outcome)

    def work(self) -> None:
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            if task.kind in COMMAND_TASKS:
                does = {TaskKind.CONFIRM: self.ledger.confirm, TaskKind.CANCEL: self.ledger.end}
                does.get(task.kind, self.ledger.extend)()
            elif self.record is not None:
                for answer in self.provider.carry_out(payment_request_of(self.record, self.id, task)):
                    self.tell(answer)

    def check(self) -> None:
        if self.record is not None and not self.record.is_finished:
            question = PaymentQuestion(self.record.event, self.id, "EUR", self.record.reference)
            for answer in self.provider.look(question):
                self.tell(answer)
            self.tell(event(K.CHECKED))


class World:
    """All purchases at one Paper."""

    def __init__(self, paper: Paper, url: str, run: Callable[[Any], Any], now: list[float]) -> None:
        self.paper, self.run, self.now = paper, run, now
        self.lost: list[Purchase] = []
        self.provider = PaperProvider(url, KEY)
        self.purchases = {purchase.id: purchase for purchase in (Purchase(self.provider) for _ in range(BUYERS))}
        self.refused = 0

    def choose(self, purchase: Purchase, choice: str) -> None:
        async def press() -> None:
            book = self.paper.books.payment(f"{EVENT}.{purchase.id}")
            if book is not None:
                self.paper.choose(book["reference"], choice)

        self.run(press())
        if choice == "lose":
            self.lost.append(purchase)

    def deliver(self, *, checks: bool) -> None:
        """Let notices, outcomes and tasks arrive."""

        async def take(body: bytes, signature: str) -> bool:
            try:
                events = self.provider.read_webhook(body, {SIGNATURE_HEADER: signature}, self.now[0])
            except WebhookRefused:
                self.refused += 1
                return False
            for told in events:
                self.purchases[told.purchase].tell(told)
            return True

        self.run(self.paper.send_due(take))
        for purchase in self.purchases.values():
            purchase.hear()
            purchase.work()
            if checks:
                purchase.check()
        self.now[0] += HOSTILE_DELAY_MAX_S / 4

    def books(self) -> dict[UUID, dict[str, Any]]:
        async def read() -> list[dict[str, Any]]:
            return self.paper.books.payments()

        return {UUID(book["purchase"]): book for book in self.run(read())}

    def broken(self) -> list[str]:
        """The purchases for which Paper's books don't fit the ledger."""
        found = []
        for id_, book in self.books().items():
            sold = int(self.purchases[id_].ledger.sold * 100)
            if book["captured"] - book["refunded"] != sold or book["state"] in ("open", "authorized"):
                found.append(f"{book} but sold {sold}")
        return found


def play(world: World, *, checks: bool) -> None:
    rng = random.Random(7)
    for purchase in world.purchases.values():
        purchase.hear()
        purchase.tell(event(K.STARTED))
        purchase.work()
    choices = ("approve", "approve", "lose", "delay", "decline")
    for purchase in world.purchases.values():
        world.choose(purchase, rng.choice(choices))
    for _ in range(4):
        world.deliver(checks=checks)
    for purchase in world.purchases.values():
        rng.choice((lambda: None, purchase.ledger.reduce, purchase.ledger.end))()
    for _ in range(24):
        world.deliver(checks=checks)
    for purchase in world.purchases.values():
        if purchase.ledger.status == "held":
            purchase.ledger.end()
    for _ in range(12):
        world.deliver(checks=checks)


@pytest.mark.parametrize("checks", [True, False])
def test_the_books_keep_the_promise_and_only_the_timer_finds_a_lost_webhook(checks: bool, tmp_path: Path) -> None:
    now = [time.time()]
    with running_paper(tmp_path, hostile=True, clock=lambda: now[0]) as (paper, url, run):
        world = World(paper, url, run, now)
        play(world, checks=checks)
        assert world.broken() == []
        assert len(world.books()) == BUYERS
    assert world.refused > 0
    confirmed = [hasattr(purchase.ledger, "confirmed_at") for purchase in world.lost]
    assert confirmed == [checks] * len(world.lost)
    assert world.lost


@pytest.mark.parametrize(
    ("pair", "weak"),
    [
        ((PaymentState.CAPTURED, Signal.RETURNED_PAID), Step(PaymentState.REFUNDED)),
        ((PaymentState.AUTHORIZING, Signal.AUTHORIZED), Step(PaymentState.CAPTURED)),
    ],
)
def test_the_books_find_a_row_that_is_wrong(
    pair: tuple[PaymentState, Signal], weak: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tables.payments.transitions.TRANSITIONS, pair, weak)
    now = [time.time()]
    with running_paper(tmp_path, hostile=True, clock=lambda: now[0]) as (paper, url, run):
        world = World(paper, url, run, now)
        play(world, checks=True)
        assert world.broken() != []

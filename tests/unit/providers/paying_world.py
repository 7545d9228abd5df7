"""Payments decided by the table and carried out by a hostile Paper, over connections that lose requests and answers."""

import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import msgspec

from lab.chaos.checks.money import compare
from providers.paper import SIGNATURE_HEADER, PaperProvider
from providers.port import PaymentQuestion, WebhookRefused
from stack.paper import HOSTILE_DELAY_MAX_S, Paper
from tables.errors import MalformedRecord
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.payments.payment import apply
from tables.payments.records import PaymentRecord, Task
from tables.payments.tasks import COMMAND_TASKS, payment_request_of
from tables.payments.transitions import TaskKind
from tests.unit.providers.asked import Asked
from tests.unit.providers.paper_process import KEY
from tests.unit.tables.payments.payment_world import AT_MS, EVENT, Ledger, event

K = PaymentEventKind
BUYERS = 32
LOST_SHARE = 0.15
# Of the buyers who cancel while they pay.
ENDED_SHARE = 0.2


class Purchase:
    """One purchase: its ledger, its payment, and what is to be done."""

    def __init__(self, provider: Asked, rng: random.Random) -> None:
        self.id = uuid4()
        self.rng = rng
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
            elif self.record is not None and self.rng.random() > LOST_SHARE:
                answers = self.provider.carry_out(payment_request_of(self.record, self.id, task))
                for answer in answers if self.rng.random() > LOST_SHARE else ():
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
        self.provider = Asked(PaperProvider(url, KEY))
        self.rng = random.Random(7)
        made = [Purchase(self.provider, self.rng) for _ in range(BUYERS)]
        self.purchases = {purchase.id: purchase for purchase in made}
        self.refused = 0
        self.found: list[str] = []
        self.paid = 0

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
                events = self.provider.provider.read_webhook(body, {SIGNATURE_HEADER: signature}, self.now[0])
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

    def books(self) -> list[dict[str, Any]]:
        async def read() -> list[dict[str, Any]]:
            return self.paper.books.payments()

        found: list[dict[str, Any]] = self.run(read())
        return found

    def broken(self) -> list[str]:
        """What the checker of chaos runs finds in Paper's books."""
        worth = {f"{EVENT}.{id_}": int(purchase.ledger.sold * 100) for id_, purchase in self.purchases.items()}
        return [str(finding) for finding in compare(self.books(), worth)]


def play(world: World, *, checks: bool) -> None:
    """Everybody pays somehow; some give tickets back before, some afterwards. In the end no hold is open."""
    purchases = list(world.purchases.values())
    for purchase in purchases:
        purchase.hear()
        purchase.tell(event(K.STARTED))
        purchase.work()
    _deliver(world, 4, checks=checks)
    choices = ("approve", "approve", "lose", "delay", "decline")
    for purchase in purchases:
        if world.rng.random() < ENDED_SHARE:
            purchase.ledger.end()
        world.choose(purchase, world.rng.choice(choices))
    _deliver(world, 4, checks=checks)
    for purchase in purchases:
        world.rng.choice((lambda: None, purchase.ledger.reduce, purchase.ledger.end))()
    _deliver(world, 24, checks=checks)
    for purchase in [purchase for purchase in purchases if purchase.ledger.status == "held"]:
        purchase.ledger.end()
    _deliver(world, 12, checks=checks)


def _deliver(world: World, times: int, *, checks: bool) -> None:
    for _ in range(times):
        world.deliver(checks=checks)

"""A naive ledger, a naive provider, and transports that lose, repeat and reorder, around the state machine."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.payments.payment import apply
from tables.payments.records import PaymentRecord, RefundStatus, Task
from tables.payments.transitions import TaskKind

K = PaymentEventKind
EVENT, PURCHASE, ADA = UUID(int=1), UUID(int=2), UUID(int=3)
AT = datetime(2030, 5, 1, 9, tzinfo=UTC)
AT_MS = 1_900_000_000_000
PRICE = Decimal("49.90")
REFERENCE = "pay-1"
GOODWILL = "goodwill"
ORGANIZER = UUID(int=4)


def event(kind: PaymentEventKind, **more: Any) -> PaymentEvent:
    """An event of the purchase, complete for its kind."""
    amounts = {"amount": PRICE, "currency": "EUR"} if kind not in (K.STARTED, K.CHECKED) else {}
    fields: dict[str, Any] = {"id": f"{kind}", "kind": kind, "event": EVENT, "purchase": PURCHASE, "at": AT}
    fields |= amounts | {"provider": "paper"}
    if kind is K.HELD:
        fields |= {"account": ADA, "ledger_offset": 1}
    return PaymentEvent(**(fields | more))


def refund_order(amount: Decimal | None, **more: Any) -> PaymentEvent:
    """The organizer's order to refund an amount as goodwill, or (None) what tickets are worth."""
    reason = "tickets" if amount is None else GOODWILL
    fields: dict[str, Any] = {"amount": amount, "account": ORGANIZER, "request": UUID(int=1_000), "reason": reason}
    return event(K.REFUND_ORDERED, **(fields | more))


@dataclass
class Provider:
    """One payment at a time, and another after it was voided; a request is carried out once by its id."""

    status: str = ""
    tries: int = 0
    asked: Decimal = Decimal(0)
    authorized: Decimal = Decimal(0)
    captured: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    answers: dict[UUID, list[PaymentEvent]] = field(default_factory=dict)

    def carry_out(self, task: Task) -> list[PaymentEvent]:
        if task.id not in self.answers:
            self.answers[task.id] = [self._do(task)]
        return self.answers[task.id]

    def _do(self, task: Task) -> PaymentEvent:
        if task.kind is TaskKind.AUTHORIZE and (not self.status or (self.status == "voided" and self.tries)):
            self.status, self.asked, self.tries = "open", task.amount, self.tries + 1
            return self.tell(K.OPENED, task, self.asked)
        if task.kind is TaskKind.CAPTURE and self.status == "authorized" and not task.amount:
            return self.tell(K.AUTHORIZED, task, self.authorized)  # nothing can be captured, and nothing else is told
        if task.kind is TaskKind.CAPTURE and self.status == "authorized":
            self.status, self.captured, self.authorized = "captured", task.amount, Decimal(0)
            return self.tell(K.CAPTURED, task, self.captured)
        if task.kind is TaskKind.VOID and self.status != "captured":
            self.status, self.authorized = "voided", Decimal(0)
            return self.tell(K.VOIDED, task, Decimal(0))
        if task.kind is TaskKind.REFUND and self.refunded + task.amount <= self.captured:
            self.refunded += task.amount
            return self.tell(K.REFUNDED, task, self.refunded)
        return self.tell(K.FAILED, task, Decimal(0))

    def approve(self, *, at_once: bool) -> list[PaymentEvent]:
        if self.status not in ("open", "declined"):
            return []
        if at_once:
            self.status, self.captured = "captured", self.asked
            return [self.tell(K.CAPTURED, None, self.captured)]
        self.status, self.authorized = "authorized", self.asked
        return [self.tell(K.AUTHORIZED, None, self.authorized)]

    def decline(self) -> list[PaymentEvent]:
        if self.status != "open":
            return []
        self.status = "declined"
        return [self.tell(K.DECLINED, None, Decimal(0))]

    def expire(self) -> list[PaymentEvent]:
        """The card's bank gives the authorization up by itself, or the provider its page."""
        if self.status not in ("open", "declined", "authorized"):
            return []
        self.status, self.authorized = "voided", Decimal(0)
        return [self.tell(K.VOIDED, None, Decimal(0))]

    def look(self) -> list[PaymentEvent]:
        kinds = {"open": K.OPENED, "declined": K.DECLINED, "authorized": K.AUTHORIZED, "voided": K.VOIDED}
        amounts = {"authorized": self.authorized, "open": self.asked}
        found = []
        if self.status in kinds:
            found.append(self.tell(kinds[self.status], None, amounts.get(self.status, Decimal(0))))
        if self.captured:
            found.append(self.tell(K.CAPTURED, None, self.captured))
        if self.refunded:
            found.append(self.tell(K.REFUNDED, None, self.refunded))
        return found

    def tell(self, kind: PaymentEventKind, task: Task | None, amount: Decimal) -> PaymentEvent:
        url = "https://pay.example" if kind is K.OPENED else ""
        request = None if task is None else task.id
        return event(kind, amount=amount, reference=self.reference, url=url, request=request)

    @property
    def reference(self) -> str:
        return f"pay-{max(1, self.tries)}"


@dataclass
class Ledger:
    """One purchase of three tickets with a price and a free one, held at first."""

    worth: Decimal = 3 * PRICE
    status: str = "held"
    offset: int = 1
    extended: bool = False
    is_elsewhere: bool = False
    outcomes: list[PaymentEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tell(K.HELD)

    def confirm(self, reference: str = REFERENCE, *, is_elsewhere: bool = False) -> None:
        self.offset += 1
        if self.status == "held":
            self.status, self.confirmed_at = "confirmed", self.offset
            self.is_elsewhere = is_elsewhere
            self.tell(K.CONFIRMED, reference=reference)
        elif hasattr(self, "confirmed_at"):
            # The first decision again.
            return
        else:
            self.tell(K.REFUSED, amount=Decimal(0))

    def extend(self) -> None:
        if self.status == "held" and not self.extended:
            self.offset += 1
            self.extended = True
            self.tell(K.HELD)

    def end(self) -> None:
        if self.status in ("held", "confirmed"):
            self.offset += 1
            self.status, self.worth = "ended", Decimal(0)
            self.tell(K.ENDED)

    def reduce(self, request: UUID | None = None) -> None:
        if self.status in ("held", "confirmed") and self.worth:
            self.offset += 1
            self.worth -= PRICE
            self.tell(K.REDUCED, request=request)
        elif request is not None:
            self.offset += 1
            self.tell(K.RETURN_REFUSED, request=request, amount=Decimal(0), reason="nothing-to-cancel")

    def tell(self, kind: PaymentEventKind, **more: Any) -> None:
        fields = {"ledger_offset": self.offset, "account": ADA, "amount": self.worth}
        self.outcomes.append(event(kind, **(fields | more)))

    @property
    def sold(self) -> Decimal:
        return self.worth if self.status == "confirmed" and not self.is_elsewhere else Decimal(0)


class World:
    """All together; ``tasks`` and ``news`` are under way. With ``is_started`` the start came before the hold."""

    def __init__(self, *, is_started: bool = False) -> None:
        self.ledger, self.provider = Ledger(), Provider()
        self.record: PaymentRecord | None = None
        self.log: list[PaymentEvent] = []
        self.tasks: list[Task] = []
        self.orders = 0
        self.news: list[PaymentEvent] = []
        self.shown: set[str] = set()
        if is_started:
            self.start_with_hold()
        else:
            self.append(self.ledger.outcomes.pop(0))

    def append(self, happened: PaymentEvent) -> None:
        self.log.append(happened)
        self._apply(happened, len(self.log))

    def replay(self, offset: int) -> None:
        """A crash before the input was committed."""
        self._apply(self.log[offset - 1], offset)

    def _apply(self, happened: PaymentEvent, offset: int) -> None:
        self.record, tasks = apply(self.record, PURCHASE, happened, offset, AT_MS + offset)
        self.tasks += tasks
        if self.record.url and self.state() in ("authorizing", "declined"):
            self.shown.add(self.record.reference)

    def start(self) -> None:
        self.append(event(K.STARTED))

    def start_with_hold(self) -> None:
        """By the process that answered the hold."""
        self.append(event(K.STARTED, account=ADA, amount=3 * PRICE, currency="EUR", ledger_offset=1))

    def order_refund(self, amount: Decimal | None) -> None:
        """The organizer gives back an amount, or one ticket."""
        self.orders += 1
        order = UUID(int=1_000 + self.orders)
        self.append(refund_order(amount, request=order))
        if amount is None:
            self.ledger.reduce(order)

    @property
    def goodwill(self) -> Decimal:
        """What the record says was granted for tickets that are kept."""
        orders = () if self.record is None else self.record.refunds
        granted = [each for each in orders if each.reason == GOODWILL and each.status is RefundStatus.ACCEPTED]
        return sum([each.amount for each in granted], Decimal(0))

    def state(self) -> str:
        return "" if self.record is None else self.record.state.value

    def pay(self, *, at_once: bool) -> None:
        """The buyer pays on a page that he was shown."""
        if self.provider.reference in self.shown:
            self.news += self.provider.approve(at_once=at_once)

    def hear(self, *, keep: bool) -> None:
        if self.ledger.outcomes:
            self.append(self.ledger.outcomes[0] if keep else self.ledger.outcomes.pop(0))

    def learn(self, at: int, *, keep: bool) -> None:
        if self.news:
            number = at % len(self.news)
            self.append(self.news[number] if keep else self.news.pop(number))

    def work(self, at: int, *, keep: bool) -> None:
        if self.tasks:
            number = at % len(self.tasks)
            self.do(self.tasks[number] if keep else self.tasks.pop(number))

    def pay_late(self) -> None:
        self.do(self.tasks.pop())
        self.append(self.news.pop())
        self.tasks.clear()
        self.provider.status, self.provider.captured = "captured", PRICE
        self.news.append(self.provider.tell(K.CAPTURED, None, PRICE))

    def check(self) -> None:
        for found in self.provider.look():
            self.append(found)
        self.append(event(K.CHECKED))

    def do(self, task: Task) -> None:
        if task.kind is TaskKind.EXTEND:
            self.ledger.extend()
        elif task.kind is TaskKind.CONFIRM:
            assert self.record is not None
            self.ledger.confirm(self.record.confirm_reference(PURCHASE))
        elif task.kind is TaskKind.CANCEL:
            self.ledger.end()
        else:
            self.news += self.provider.carry_out(task)

    def drain(self) -> None:
        """Let everything arrive, as it does in the end; the hold has ended by then."""
        for _ in range(12):
            while self.ledger.outcomes:
                self.append(self.ledger.outcomes.pop(0))
            while self.news:
                self.append(self.news.pop(0))
            while self.tasks:
                self.do(self.tasks.pop(0))
            if self.ledger.status == "held":
                self.ledger.end()
            assert self.record is not None
            if not self.record.is_finished:
                self.check()

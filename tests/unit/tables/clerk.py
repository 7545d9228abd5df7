"""A ticket office as a clerk with paper would run it: one row per purchase, one entry per ticket, no counters.

It is written from the rules as docs tell them, knows nothing of the ledger's modules but the form of its
commands, and goes through all rows for every question.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tables.messages.commands import (
    Buy,
    BuyerCommand,
    Cancel,
    Confirm,
    DefineEvent,
    EndPurchases,
    EventDefinition,
    Expire,
    Hold,
    LimitHolds,
    TicketLine,
    TicketTypeDefinition,
)

Ticket = tuple[UUID, int]
OCCUPYING = ("held", "confirmed")


class Answer(NamedTuple):
    """What the clerk says: ``tickets`` are those that the answer speaks of, ``status`` the purchase's after it."""

    kind: str
    offset: int
    reason: str | None = None
    tickets: tuple[Ticket, ...] = ()
    status: str | None = None


@dataclass
class Row:
    """One purchase, with each of its tickets by type and number."""

    event: UUID
    purchase: UUID
    account: UUID
    body: tuple[str, int | None, UUID, frozenset[tuple[UUID, int]]]
    answer: Answer
    status: str
    tickets: list[Ticket]
    deadline: datetime | None = None
    confirmed: Answer | None = None
    cancelled: list[tuple[UUID | None, Answer]] = field(default_factory=list)
    let_go: list[tuple[UUID, datetime]] = field(default_factory=list)


class Clerk:
    """Answers commands in the order in which they come."""

    def __init__(self, most_changes: int = 50) -> None:
        self.most_changes = most_changes
        self.events: dict[UUID, tuple[int, EventDefinition]] = {}
        self.rows: list[Row] = []
        self.ending: dict[UUID, int] = {}
        self.limits = LimitHolds()

    def answer(self, offset: int, at: int, command: BuyerCommand | DefineEvent | LimitHolds) -> Answer | None:
        """What the command at ``offset``, appended at ``at`` (ms), is told."""
        now = _time(at)
        if isinstance(command, LimitHolds):
            self.limits = command
            return None
        if isinstance(command, DefineEvent):
            return self._define(offset, command)
        row = next((row for row in self.rows if (row.event, row.purchase) == (command.event, command.purchase)), None)
        if isinstance(command, (Buy, Hold)):
            return self._buy(offset, now, command, row)
        if row is None:
            return Answer("refused", offset, "unknown-purchase")
        if isinstance(command, Expire):
            return self._expire(offset, now, command, row)
        if row.account != command.account:
            return Answer("refused", offset, "not-yours")
        return self._confirm(offset, row) if isinstance(command, Confirm) else self._cancel(offset, now, command, row)

    def out(self, event: UUID, kind: UUID | None = None, *, status: str = "", account: UUID | None = None) -> int:
        """How many tickets are out, by looking at each of them."""
        return sum(
            1
            for row in self.rows
            for ticket in row.tickets
            if row.event == event
            and (kind is None or ticket[0] == kind)
            and row.status in ([status] if status else OCCUPYING)
            and (account is None or row.account == account)
        )

    def _define(self, offset: int, command: DefineEvent) -> Answer | None:
        known = self.events.get(command.event)
        if known is not None and known[0] >= command.version:
            return None
        self.events[command.event] = (command.version, command.definition)
        self.ending.pop(command.event, None)
        if command.definition.status.value == "CANCELED" and self.out(command.event):
            self.ending[command.event] = -1
        return Answer("changed", offset)

    def end(self, offset: int, at: int, step: EndPurchases) -> list[tuple[UUID, Answer]]:
        """What each purchase that a step ends is told."""
        place = -1 if step.after is None else step.after.int
        if step.event not in self.ending or self.events[step.event][0] != step.version:
            return []
        if place < self.ending[step.event]:
            return []
        rows = [row for row in self.rows if row.event == step.event and row.purchase.int > place]
        turn = sorted(rows, key=lambda row: row.purchase.int)[: step.most]
        told = []
        for row in turn:
            if row.status in OCCUPYING:
                _note_let_go(row, _time(at), row.tickets)
                row.status = {"held": "expired", "confirmed": "refunded"}[row.status]
                told.append(
                    (row.purchase, Answer(row.status, offset, "event-canceled", tuple(row.tickets), row.status))
                )
                row.tickets = []
        del self.ending[step.event]
        if len(turn) == step.most and self.out(step.event):
            self.ending[step.event] = turn[-1].purchase.int
        return told

    def _buy(self, offset: int, now: datetime, command: Buy | Hold, row: Row | None) -> Answer:
        wanted = _by_type(command.lines)
        seconds = command.seconds if isinstance(command, Hold) and not command.by_default else None
        body = (type(command).__name__, seconds, command.account, frozenset(wanted.items()))
        if row is not None:
            return row.answer if row.body == body else Answer("refused", offset, "id-reused")
        reason = self._objection(now, command, wanted)
        types = [] if reason else [kind for kind, quantity in wanted.items() for _ in range(quantity)]
        tickets = [(kind, number) for number, kind in enumerate(types)]
        status = "rejected" if reason else "held" if isinstance(command, Hold) else "confirmed"
        answer = Answer(status, offset, reason, tuple(tickets), status)
        made = Row(command.event, command.purchase, command.account, body, answer, status, tickets)
        made.deadline = now + timedelta(seconds=self._seconds(command)) if isinstance(command, Hold) else None
        made.confirmed = answer if status == "confirmed" else None
        self.rows.append(made)
        return answer

    def _objection(self, now: datetime, command: Buy | Hold, wanted: Counter[UUID]) -> str | None:
        if command.event not in self.events:
            return "unknown-event"
        _, event = self.events[command.event]
        if event.status.value != "ACTIVE":
            return "event-not-open"
        kinds = {kind.id: kind for kind in event.ticket_types}
        for key, quantity in wanted.items():
            objection = self._type_objection(now, command, kinds.get(key), quantity)
            if objection is not None:
                return objection
        total = wanted.total()
        has = self.out(command.event, account=command.account)
        if event.max_per_order is not None and total > event.max_per_order:
            return "order-limit-exceeded"
        if event.max_per_account is not None and has + total > event.max_per_account:
            return "purchase-limit-exceeded"
        if len({kinds[key].currency for key in wanted}) > 1:
            return "mixed-currencies"
        if any(self.out(command.event, key) + quantity > kinds[key].quantity for key, quantity in wanted.items()):
            return "sold-out"
        if event.capacity is not None and self.out(command.event) + total > event.capacity:
            return "capacity-exceeded"
        return self._hold_objection(now, command, wanted) if isinstance(command, Hold) else None

    def _seconds(self, command: Hold) -> int:
        return min(command.seconds, self.limits.max_seconds or command.seconds)

    def _hold_objection(self, now: datetime, command: Hold, wanted: Counter[UUID]) -> str | None:
        if not command.by_default and self._seconds(command) < command.seconds:
            return "hold-too-long"
        held = self.out(command.event, status="held", account=command.account)
        if self.limits.max_tickets is not None and held + wanted.total() > self.limits.max_tickets:
            return "hold-limit-exceeded"
        mine = [row for row in self.rows if (row.event, row.account) == (command.event, command.account)]
        pause = timedelta(seconds=self.limits.cooldown_seconds or 0)
        if any(kind in wanted and now < at + pause for row in mine for kind, at in row.let_go):
            return "hold-too-soon"
        return None

    def _type_objection(
        self, now: datetime, command: Buy | Hold, kind: TicketTypeDefinition | None, quantity: int
    ) -> str | None:
        if kind is None:
            return "unknown-ticket-type"
        started = kind.sale_starts_at is None or kind.sale_starts_at <= now
        ended = kind.sale_ends_at is not None and kind.sale_ends_at <= now
        if ended or not started:
            return "not-on-sale"
        if kind.max_per_order is not None and quantity > kind.max_per_order:
            return "order-limit-exceeded"
        has = self.out(command.event, kind.id, account=command.account)
        if kind.max_per_account is not None and has + quantity > kind.max_per_account:
            return "purchase-limit-exceeded"
        return None

    def _confirm(self, offset: int, row: Row) -> Answer:
        if row.confirmed is not None:
            return row.confirmed
        if row.status != "held":
            return Answer("refused", offset, "not-held")
        row.status = "confirmed"
        row.confirmed = Answer("confirmed", offset, None, tuple(row.tickets), "confirmed")
        return row.confirmed

    def _expire(self, offset: int, now: datetime, command: Expire, row: Row) -> Answer:
        is_over = row.deadline is not None and now >= row.deadline
        if row.status != "held" or not (is_over or command.early):
            return Answer("refused", offset, "not-held")
        answer = Answer("expired", offset, None if is_over else "hold-ended", tuple(row.tickets), "expired")
        _note_let_go(row, now, row.tickets)
        row.status, row.tickets = "expired", []
        return answer

    def _cancel(self, offset: int, now: datetime, command: Cancel, row: Row) -> Answer:
        for request, answer in row.cancelled:
            if request is not None and request == command.request:
                return answer
        if row.status == "cancelled" and not command.lines:
            return row.cancelled[-1][1]
        gone = self._chosen(command, row)
        if not gone:
            return Answer("refused", offset, "nothing-to-cancel")
        changes = len(row.cancelled) + (row.confirmed is not None and row.deadline is not None)
        if changes >= self.most_changes and len(gone) < len(row.tickets):
            return Answer("refused", offset, "too-many-changes")
        _note_let_go(row, now, gone)
        row.tickets = [ticket for ticket in row.tickets if ticket not in gone]
        row.status = row.status if row.tickets else "cancelled"
        answer = Answer("cancelled", offset, None, tuple(gone), row.status)
        row.cancelled.append((command.request, answer))
        return answer

    def _chosen(self, command: Cancel, row: Row) -> list[Ticket]:
        if not command.lines:
            return list(row.tickets)
        chosen: list[Ticket] = []
        for kind, quantity in _by_type(command.lines).items():
            mine = [ticket for ticket in row.tickets if ticket[0] == kind]
            if len(mine) < quantity:
                return []
            chosen += mine[len(mine) - quantity :]
        return chosen


def _time(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)


def _note_let_go(row: Row, now: datetime, tickets: Iterable[Ticket]) -> None:
    """Note which types its account lets go of, if it only held them."""
    if row.status == "held":
        row.let_go += [(kind, now) for kind, _ in tickets]


def _by_type(lines: list[TicketLine]) -> Counter[UUID]:
    wanted: Counter[UUID] = Counter()
    for line in lines:
        wanted[line.ticket_type] += line.quantity
    return wanted

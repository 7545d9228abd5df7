"""The ledger's rules in their simplest form, on plain JSON: one row per purchase, one entry per ticket, no batches.

Two tests judge the ledger by it, the auditor of a chaos run and the state machine of the unit tests. It shares no code
with the ledger.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from lab.chaos.reference_purchases import (
    Lines,
    ModelOutcome,
    ModelPurchase,
    Tickets,
    hashable,
    last_tickets,
    lines_of,
    request_kind,
    wanted_of,
)
from lab.chaos.reference_rules import (
    Json,
    ModelEvent,
    ModelLimits,
    Refusal,
    amount_due,
    held_seconds,
    hold_refusal,
    refusal,
)
from lab.chaos.reference_seats import NAMED_MAX_SEATS, NO_HALL, ModelHall, SeatsRefused, chosen_seats, exchanged

PURCHASE_MAX_CHANGES: Final = 50
PURCHASE_MAX_SEATS: Final = 1_000
OCCUPYING: Final = ("held", "confirmed")


@dataclass(frozen=True)
class _Command:
    """A command with its place in the log."""

    partition: int
    offset: int
    at: int
    body: Json


class ReferenceModel:
    """Carries out commands one after the other and keeps every outcome."""

    def __init__(self) -> None:
        self.events: dict[str, ModelEvent] = {}
        self.purchases: dict[tuple[str, str], ModelPurchase] = {}
        self.outcomes: list[ModelOutcome] = []
        self.limits: dict[int, ModelLimits] = {}
        self._of_event: dict[str, list[ModelPurchase]] = {}
        self._pieces: dict[tuple[str, int], dict[tuple[str, int], Json]] = {}

    def apply(self, partition: int, offset: int, at: int, body: Json) -> None:
        """Carry out the command at ``offset``, appended at ``at`` (ms)."""
        command = _Command(partition, offset, at, body)
        match body["kind"]:
            case "limit-holds":
                given = (body.get(name) for name in ("maxSeconds", "maxTickets", "cooldownSeconds", "paymentSeconds"))
                self.limits[partition] = ModelLimits(*given)
            case "define-section":
                pieces = self._pieces.setdefault((body["event"], body["plan"]), {})
                pieces.setdefault((body["section"], body.get("part", 0)), body)
            case "define-event":
                self._define(command)
            case "end-purchases":
                self._end(command)
            case "purchase" | "hold":
                self._buy(command)
            case _:
                self._change(command)

    def stock(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Held and sold of each ticket type, by event, counted in the purchases."""
        return {event: self.stock_of(event) for event in self.events}

    def stock_of(self, event: str) -> dict[str, tuple[int, int]]:
        """Held and sold of each ticket type that an event's definition lists; empty for an unknown event."""
        out = self.tickets_out(event)
        return {key: out.get(key, (0, 0)) for key in (self.events[event].types if event in self.events else ())}

    def tickets_out(self, event: str) -> dict[str, tuple[int, int]]:
        """Held and sold of each ticket type of which an event has tickets out, counted in its purchases."""
        counted = Counter(
            (row.status, key)
            for row in self._of_event.get(event, ())
            if row.status in OCCUPYING
            for key, _ in row.tickets
        )
        return {key: (counted["held", key], counted["confirmed", key]) for _, key in counted}

    def accounts(self) -> dict[tuple[str, str], dict[str, int]]:
        """The tickets of each account by event and type, counted in the purchases."""
        counted: dict[tuple[str, str], dict[str, int]] = {}
        for row in self.purchases.values():
            for key, count in row.lines:
                has = counted.setdefault((row.event, row.account), {})
                has[key] = has.get(key, 0) + count
        return counted

    def holders(self) -> dict[tuple[str, str], tuple[int, dict[str, int]]]:
        """The number of tickets that an account holds of an event, and when it let go of which types, where any."""
        return {
            (name, account): (event.held[account], event.let_go[account])
            for name, event in self.events.items()
            for account in event.held.keys() | event.let_go.keys()
            if event.held[account] or event.let_go[account]
        }

    def _define(self, command: _Command) -> None:
        event, version, definition = (command.body[name] for name in ("event", "version", "definition"))
        known = self.events.setdefault(event, ModelEvent(command.partition, 0, definition))
        if known.version >= version:
            return
        known.version, known.definition = version, definition
        known.ending = "" if definition["status"] == "CANCELED" and self.tickets_out(event) else None
        self.outcomes.append(ModelOutcome(command.partition, event, None, command.offset, "changed"))

    def _end(self, command: _Command) -> None:
        body, event = command.body, self.events.get(command.body["event"])
        after = body.get("after") or ""
        if event is None or event.ending is None or event.version != body["version"] or after < event.ending:
            return
        rows = sorted((row for row in self._of_event[body["event"]] if row.id > after), key=lambda row: row.id)
        rows = rows[: body["most"]]
        for row in rows:
            if row.status in OCCUPYING:
                kind = "expired" if row.status == "held" else "refunded"
                self._take_back(command, row, kind, row.tickets, "event-canceled")
        goes_on = len(rows) == body["most"] and self.tickets_out(body["event"])
        event.ending = rows[-1].id if goes_on else None

    def _buy(self, command: _Command) -> None:
        body, event = command.body, self.events.get(command.body["event"])
        wanted = wanted_of(body["lines"])
        asked = (request_kind(body), body["account"], tuple(sorted(wanted.items())))
        key = body["event"], body["purchase"]
        if key in self.purchases:
            known = self.purchases[key]
            # A hold by default also repeats one that named the same seconds: earlier versions recorded both alike.
            named = (request_kind(body | {"byDefault": False}), *asked[1:])
            if known.body in (asked, named):
                self._repeat(known.history[0])
            else:
                self._tell(command, "refused", "id-reused")
            return
        limits = self.limits.get(command.partition, ModelLimits())
        refused = refusal(command.at, body, event, wanted)
        seats: dict[str, list[str]] = {}
        if refused is None and event is not None:
            refused, seats = self._seats_for(event, body)
            refused = refused or hold_refusal(command.at, body, event, wanted, limits)
        if refused is not None or event is None:
            reason, figures = refused or ("unknown-event", {})
            outcome = self._tell(command, "rejected", reason, figures, status="rejected")
            row = ModelPurchase(*key, asked, "rejected", [], [outcome])
        else:
            due = amount_due(event, wanted)
            status = "held" if due or body["kind"] == "hold" else "confirmed"
            types = [ticket_type for ticket_type, count in wanted.items() for _ in range(count)]
            tickets = [(ticket_type, position) for position, ticket_type in enumerate(types)]
            row = ModelPurchase(*key, asked, status, tickets, [], counted=event.partition in self.limits)
            row.end = len(tickets)
            for ticket_type, names in seats.items():
                row.seats |= dict(zip((place for kind, place in tickets if kind == ticket_type), names, strict=True))
            names = row.names
            row.history.append(
                self._tell(command, status, tickets=tickets, status=status, payment=due or None, seats=names)
            )
            row.prices = {kind: Decimal(event.types[kind]["price"]) for kind in wanted} if due else {}
            row.currency = event.types[next(iter(wanted))]["currency"]
            row.deadline = command.at + held_seconds(body, limits) * 1000
            self._count(row, 1)
        self._of_event.setdefault(row.event, []).append(row)
        self.purchases[key] = row

    def _change(self, command: _Command) -> None:
        body = command.body
        row = self.purchases.get((body["event"], body["purchase"]))
        if row is None:
            self._tell(command, "refused", "unknown-purchase")
        elif body["kind"] == "expire":
            self._expire(command, row)
        elif body["kind"] == "extend-hold":
            self._extend(command, row)
        elif row.account != body["account"]:
            self._tell(command, "refused", "not-yours")
        elif body["kind"] == "confirm":
            self._confirm(command, row)
        elif body["kind"] == "exchange":
            self._exchange(command, row)
        else:
            self._cancel(command, row)

    def _confirm(self, command: _Command, row: ModelPurchase) -> None:
        confirmed = next((outcome for outcome in row.history if outcome.kind == "confirmed"), None)
        if confirmed is not None:
            self._repeat(confirmed)
        elif row.status != "held":
            self._tell(command, "refused", "not-held", {"status": row.status})
        elif (due := row.worth(row.tickets)) and command.body.get("payment") is None:
            figures = {"amount": f"{due:f}", "currency": row.currency}
            self._tell(command, "refused", "payment-required", figures)
        else:
            reference = command.body.get("payment")
            more: Json = {"payment": due, "reference": reference}
            more["seats"] = row.names
            row.history.append(self._tell(command, "confirmed", tickets=row.tickets, status="confirmed", **more))
            self._count(row, -1)
            row.status = "confirmed"
            self._count(row, 1)

    def _extend(self, command: _Command, row: ModelPurchase) -> None:
        if row.extended is not None:
            self._repeat(row.extended)
        elif row.status != "held":
            self._tell(command, "refused", "not-held", {"status": row.status})
        else:
            row.deadline += command.body["seconds"] * 1000
            row.extended = self._tell(
                command, "held", tickets=row.tickets, status="held", payment=row.worth(row.tickets), seats=row.names
            )
            row.history.append(row.extended)

    def _expire(self, command: _Command, row: ModelPurchase) -> None:
        is_over = command.at >= row.deadline
        if row.status == "held" and (is_over or command.body.get("early")):
            self._take_back(command, row, "expired", row.tickets, None if is_over else "hold-ended")
        else:
            self._tell(command, "refused", "not-held", {"status": row.status})

    def _cancel(self, command: _Command, row: ModelPurchase) -> None:
        request, wanted = command.body.get("request"), wanted_of(command.body.get("lines", ()))
        if request in row.requests:
            self._repeat(row.requests[request])
            return
        named = command.body.get("seats", ())
        if row.status == "cancelled" and not wanted and not named:
            self._repeat(row.history[-1])
            return
        refused = _cancel_refusal(row, wanted, named)
        gone = [] if refused else _given_back(row, wanted, named)
        if refused:
            self._tell(command, "refused", *refused)
        elif not gone:
            self._tell(command, "refused", "nothing-to-cancel", {"status": row.status})
        elif len(row.history) > PURCHASE_MAX_CHANGES and len(gone) < len(row.tickets):
            self._tell(command, "refused", "too-many-changes", {"limit": PURCHASE_MAX_CHANGES})
        else:
            outcome = self._take_back(command, row, "cancelled", gone)
            if request:
                row.requests[request] = outcome

    def _take_back(
        self, command: _Command, row: ModelPurchase, kind: str, gone: Tickets, reason: str | None = None
    ) -> ModelOutcome:
        taken = set(gone)
        left = [ticket for ticket in row.tickets if ticket not in taken]
        status = row.status if left else kind
        more: Json = {"left": lines_of(left), "status": status, "payment": row.worth(left)}
        more["seats"] = row.names_of(gone)
        outcome = self._tell(command, kind, reason, purchase=row.id, tickets=gone, **more)
        event = self.events[row.event]
        if row.status == "held" and event.partition in self.limits:
            event.let_go[row.account] |= {key: command.at for key, _ in gone}
        self._count(row, -1)
        row.tickets, row.status = left, status
        self._count(row, 1)
        row.history.append(outcome)
        return outcome

    def _count(self, row: ModelPurchase, sign: int) -> None:
        event = self.events[row.event]
        for key, count in row.lines:
            event.count(row.account, row.status, key, sign * count)
            event.held[row.account] += sign * count * (row.counted and row.status == "held")

    def _hall(self, event: ModelEvent, name: str) -> ModelHall | None:
        """The hall by the plan of the event's definition, with the seats that are out; None if it lacks pieces."""
        pieces = self._pieces.get((name, event.definition["plan"]), {})
        sections = {section: piece for (section, _), piece in pieces.items()}
        counts = Counter(section for section, _ in pieces)
        whole = all(counts[section] == piece.get("parts", 1) for section, piece in sections.items())
        if not sections or not whole or len(sections) < next(iter(sections.values()))["sections"]:
            return None
        rows = [row for row in self._of_event.get(name, ()) if row.status in OCCUPYING]
        held = {seat for row in rows if row.status == "held" for seat in row.names}
        return ModelHall(pieces.values(), {seat for row in rows for seat in row.names}, held)

    def _seats_for(self, event: ModelEvent, body: Json) -> tuple[Refusal | None, dict[str, list[str]]]:
        hall = NO_HALL
        if event.definition.get("plan") is not None:
            found = self._hall(event, body["event"])
            if found is None:
                return ("event-not-open", {"plan": event.definition["plan"]}), {}
            hall = found
        try:
            return None, chosen_seats(hall, body["lines"])
        except SeatsRefused as refused:
            return refused.refusal, {}

    def _exchange(self, command: _Command, row: ModelPurchase) -> None:
        body = command.body
        if body["request"] in row.requests:
            self._repeat(row.requests[body["request"]])
            return
        refused = _exchange_refusal(row, body)
        if refused is not None:
            self._tell(command, "refused", *refused)
            return
        event = self.events[row.event]
        is_open = event.definition["status"] == "ACTIVE" and event.definition.get("plan") is not None
        hall = self._hall(event, row.event) if is_open else None
        try:
            if hall is None:
                status, plan = event.definition["status"], event.definition.get("plan")
                raise SeatsRefused("event-not-open", status=status, plan=plan)
            kinds = exchanged(hall, body["take"], [row.ticket_of(name)[0] for name in body["give"]])
        except SeatsRefused as problem:
            outcome = self._tell(command, "refused", *problem.refusal)
        else:
            gone = {row.ticket_of(name) for name in body["give"]}
            taken = [(kind, row.end + number) for number, (kind, _) in enumerate(kinds)]
            row.seats |= {row.end + number: name for number, (_, name) in enumerate(kinds)}
            row.end += len(taken)
            order = list(dict.fromkeys(kind for kind, _ in row.tickets))
            tickets = [ticket for ticket in row.tickets if ticket not in gone] + taken
            row.tickets = sorted(tickets, key=lambda ticket: (order.index(ticket[0]), ticket[1]))
            more: Json = {"status": row.status, "payment": row.worth(row.tickets), "seats": row.names}
            outcome = self._tell(command, row.status, tickets=row.tickets, **more)
        row.history.append(outcome)
        row.requests[body["request"]] = outcome

    def _repeat(self, outcome: ModelOutcome) -> None:
        self.outcomes.append(replace(outcome, repeated=True))

    def _tell(
        self,
        command: _Command,
        kind: str,
        reason: str | None = None,
        figures: Json | None = None,
        *,
        purchase: str | None = None,
        tickets: Iterable[tuple[str, int]] = (),
        left: Lines = (),
        status: str | None = None,
        payment: Decimal | None = None,
        reference: str | None = None,
        seats: Iterable[str] = (),
    ) -> ModelOutcome:
        outcome = ModelOutcome(
            partition=command.partition,
            event=command.body["event"],
            purchase=purchase or command.body["purchase"],
            offset=command.offset,
            kind=kind,
            reason=reason,
            figures=tuple(sorted(hashable(figures or {}).items())),
            lines=lines_of(tickets),
            left=left,
            status=status,
            tickets=tuple(tickets),
            payment=payment,
            reference=reference,
            seats=tuple(sorted(seats)),
        )
        self.outcomes.append(outcome)
        return outcome


def _missing(row: ModelPurchase, names: Sequence[str]) -> Refusal | None:
    missing = [name for name in names if name not in row.names]
    if missing or len(set(names)) < len(names):
        return "nothing-to-cancel", {"status": row.status, "seats": missing[:NAMED_MAX_SEATS]}
    return None


def _cancel_refusal(row: ModelPurchase, wanted: Counter[str], named: Sequence[str]) -> Refusal | None:
    for key in wanted:
        if key in row.seated:
            return "seats-required", {"ticketType": key}
    return _missing(row, named)


def _exchange_refusal(row: ModelPurchase, body: Json) -> Refusal | None:
    refused = _missing(row, body["give"])
    if refused is None and len(row.history) > PURCHASE_MAX_CHANGES:
        return "too-many-changes", {"limit": PURCHASE_MAX_CHANGES}
    if refused is None and len(row.seats) + len(body["take"]) > PURCHASE_MAX_SEATS:
        return "too-many-changes", {"limit": PURCHASE_MAX_SEATS}
    return refused


def _given_back(row: ModelPurchase, wanted: Counter[str], named: Sequence[str]) -> Tickets:
    """The tickets that a cancel gives back; none if it can't."""
    if not wanted and not named:
        return list(row.tickets)
    counted = last_tickets(row.tickets, wanted)
    if wanted and not counted:
        return []
    tickets = [row.ticket_of(name) for name in named]
    order = list(dict.fromkeys(key for key, _ in tickets))
    return counted + sorted(tickets, key=lambda ticket: (order.index(ticket[0]), ticket[1]))

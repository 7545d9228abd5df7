"""The ledger's rules in their simplest form, on plain JSON: one row per purchase, one entry per ticket, no batches.

Two tests judge the ledger by it, the auditor of a chaos run and the unit tests with random commands. It shares no code
with the ledger.
"""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from lab.chaos.reference_changes import PURCHASE_MAX_CHANGES, cancel_refusal, exchange, exchange_refusal, given_back
from lab.chaos.reference_purchases import (
    ModelCommand,
    ModelOutcome,
    ModelPurchase,
    Tickets,
    lines_of,
    new_purchase,
    outcome_of,
    request_kind,
    wanted_of,
)
from lab.chaos.reference_rules import (
    Json,
    ModelEvent,
    ModelLimits,
    amount_due,
    held_seconds,
    hold_refusal,
    refusal,
)
from lab.chaos.reference_seats import ModelHall, ModelPlans, SeatsRefused, exchanged, seats_for

OCCUPYING: Final = ("held", "confirmed")
# What becomes of them when their event is cancelled.
ENDED: Final = {"held": "expired", "confirmed": "refunded"}


class ReferenceModel:
    """Carries out commands one after the other and keeps every outcome."""

    def __init__(self) -> None:
        self.events: dict[str, ModelEvent] = {}
        self.purchases: dict[tuple[str, str], ModelPurchase] = {}
        self.outcomes: list[ModelOutcome] = []
        self.limits: dict[int, ModelLimits] = {}
        self._of_event: dict[str, list[ModelPurchase]] = {}
        self._plans = ModelPlans()

    def apply(self, partition: int, offset: int, at: int, body: Json) -> None:
        """Carry out the command at ``offset``, appended at ``at`` (ms)."""
        command = ModelCommand(partition, offset, at, body)
        match body["kind"]:
            case "limit-holds":
                given = (body.get(name) for name in ("maxSeconds", "maxTickets", "cooldownSeconds", "paymentSeconds"))
                self.limits[partition] = ModelLimits(*given)
            case "define-section":
                self._plans.define(body)
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

    def _define(self, command: ModelCommand) -> None:
        event, version, definition = (command.body[name] for name in ("event", "version", "definition"))
        known = self.events.setdefault(event, ModelEvent(command.partition, 0, definition))
        if known.version >= version:
            return
        known.version, known.definition = version, definition
        known.ending = "" if definition["status"] == "CANCELED" and self.tickets_out(event) else None
        self.outcomes.append(ModelOutcome(command.partition, event, None, command.offset, "changed"))

    def _end(self, command: ModelCommand) -> None:
        body, event = command.body, self.events.get(command.body["event"])
        after = body.get("after") or ""
        if event is None or event.ending is None or event.version != body["version"] or after < event.ending:
            return
        left = sorted((row for row in self._of_event[body["event"]] if row.id > after), key=lambda row: row.id)
        rows = left[: body["most"]]
        for row in rows:
            if row.status in OCCUPYING:
                self._take_back(command, row, ENDED[row.status], row.tickets, "event-canceled")
        goes_on = len(rows) == body["most"] and self.tickets_out(body["event"])
        event.ending = rows[-1].id if goes_on else None

    def _buy(self, command: ModelCommand) -> None:
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
            plan, hall = event.definition.get("plan"), self._hall(event, body["event"])
            refused, seats = seats_for(plan, hall, body["lines"])
            refused = refused or hold_refusal(command.at, body, event, wanted, limits)
        if refused is not None or event is None:
            outcome = self._tell(command, "rejected", *(refused or ("unknown-event", {})), status="rejected")
            row = ModelPurchase(*key, asked, "rejected", [], [outcome])
        else:
            due = amount_due(event, wanted)
            status = "held" if due or body["kind"] == "hold" else "confirmed"
            row = new_purchase(key, asked, status, wanted, seats)
            row.counted = event.partition in self.limits
            row.history.append(
                self._tell(command, status, tickets=row.tickets, status=status, payment=due or None, seats=row.names)
            )
            row.prices = {kind: Decimal(event.types[kind]["price"]) for kind in wanted} if due else {}
            row.currency = event.types[next(iter(wanted))]["currency"]
            row.deadline = command.at + held_seconds(body, limits) * 1000
            self._count(row, 1)
        self._of_event.setdefault(row.event, []).append(row)
        self.purchases[key] = row

    def _change(self, command: ModelCommand) -> None:
        body = command.body
        row = self.purchases.get((body["event"], body["purchase"]))
        if row is None:
            self._tell(command, "refused", "unknown-purchase")
        elif body["kind"] not in ("expire", "extend-hold") and row.account != body["account"]:
            self._tell(command, "refused", "not-yours")
        else:
            ways = {"expire": self._expire, "extend-hold": self._extend, "confirm": self._confirm}
            ways |= {"exchange": self._exchange, "cancel": self._cancel}
            ways[body["kind"]](command, row)

    def _confirm(self, command: ModelCommand, row: ModelPurchase) -> None:
        confirmed = next((outcome for outcome in row.history if outcome.kind == "confirmed"), None)
        if confirmed is not None:
            self._repeat(confirmed)
        elif row.status != "held":
            self._tell(command, "refused", "not-held", {"status": row.status})
        elif (due := row.worth(row.tickets)) and command.body.get("payment") is None:
            figures = {"amount": f"{due:f}", "currency": row.currency}
            self._tell(command, "refused", "payment-required", figures)
        else:
            more: Json = {"payment": due, "reference": command.body.get("payment"), "seats": row.names}
            row.history.append(self._tell(command, "confirmed", tickets=row.tickets, status="confirmed", **more))
            self._count(row, -1)
            row.status = "confirmed"
            self._count(row, 1)

    def _extend(self, command: ModelCommand, row: ModelPurchase) -> None:
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

    def _expire(self, command: ModelCommand, row: ModelPurchase) -> None:
        is_over = command.at >= row.deadline
        if row.status == "held" and (is_over or command.body.get("early")):
            self._take_back(command, row, "expired", row.tickets, None if is_over else "hold-ended")
        else:
            self._tell(command, "refused", "not-held", {"status": row.status})

    def _cancel(self, command: ModelCommand, row: ModelPurchase) -> None:
        request, wanted = command.body.get("request"), wanted_of(command.body.get("lines", ()))
        if request in row.requests:
            self._repeat(row.requests[request])
            return
        named = command.body.get("seats", ())
        if row.status == "cancelled" and not wanted and not named:
            self._repeat(row.history[-1])
            return
        refused = cancel_refusal(row, wanted, named)
        gone = [] if refused else given_back(row, wanted, named)
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
        self, command: ModelCommand, row: ModelPurchase, kind: str, gone: Tickets, reason: str | None = None
    ) -> ModelOutcome:
        taken = set(gone)
        left = [ticket for ticket in row.tickets if ticket not in taken]
        status = row.status if left else kind
        more: Json = {"left": lines_of(left), "status": status, "payment": row.worth(left), "seats": row.names_of(gone)}
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
        plan = event.definition.get("plan")
        rows = [row for row in self._of_event.get(name, ()) if row.status in OCCUPYING]
        held = {seat for row in rows if row.status == "held" for seat in row.names}
        taken = {seat for row in rows for seat in row.names}
        return None if plan is None else self._plans.hall(name, plan, taken, held)

    def _exchange(self, command: ModelCommand, row: ModelPurchase) -> None:
        body = command.body
        if body["request"] in row.requests:
            self._repeat(row.requests[body["request"]])
            return
        refused = exchange_refusal(row, body)
        if refused is not None:
            self._tell(command, "refused", *refused)
            return
        event = self.events[row.event]
        hall = self._hall(event, row.event) if event.definition["status"] == "ACTIVE" else None
        try:
            if hall is None:
                status, plan = event.definition["status"], event.definition.get("plan")
                raise SeatsRefused("event-not-open", status=status, plan=plan)
            kinds = exchanged(hall, body["take"], [row.ticket_of(name)[0] for name in body["give"]])
        except SeatsRefused as problem:
            outcome = self._tell(command, "refused", *problem.refusal)
        else:
            exchange(row, body["give"], kinds)
            more: Json = {"status": row.status, "payment": row.worth(row.tickets), "seats": row.names}
            outcome = self._tell(command, row.status, tickets=row.tickets, **more)
        row.history.append(outcome)
        row.requests[body["request"]] = outcome

    def _repeat(self, outcome: ModelOutcome) -> None:
        self.outcomes.append(replace(outcome, repeated=True))

    def _tell(
        self, command: ModelCommand, kind: str, reason: str | None = None, figures: Json | None = None, **more: Any
    ) -> ModelOutcome:
        outcome = outcome_of(command, kind, reason, figures, **more)
        self.outcomes.append(outcome)
        return outcome

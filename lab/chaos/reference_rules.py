"""The rules by which purchases and holds are refused, in their simplest form, on plain JSON."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

ORDER_MAX_TICKETS: Final = 5_000
HOLD_MAX_S: Final = 86_400
HOLD_DEFAULT_S: Final = 600
PAYMENT_DEFAULT_S: Final = 900

Json = dict[str, Any]
# A reason and its figures.
Refusal = tuple[str, Json]


@dataclass
class ModelEvent:
    """An event by its latest definition; ``ending`` is how far its purchases were ended, None if they need not be.

    ``out`` counts tickets by type, under the status and under the account of their purchase; ``total`` those of all
    types. ``held`` counts the tickets that an account holds, made after the partition's first limits; ``let_go`` has
    the time (ms) when an account last gave back or lost a hold of a type.
    """

    partition: int
    version: int
    definition: Json
    ending: str | None = None
    out: Counter[tuple[str, str]] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    let_go: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def types(self) -> dict[str, Json]:
        """The ticket types by id."""
        return {each["id"]: each for each in self.definition.get("ticketTypes", ())}

    def count(self, account: str, status: str, ticket_type: str, quantity: int) -> None:
        """Add tickets; a negative quantity takes them away."""
        for owner in (account, status):
            self.out[owner, ticket_type] += quantity
            self.total[owner] += quantity


@dataclass
class ModelLimits:
    """The limits on holds of one partition; None means no limit."""

    seconds: int | None = None
    tickets: int | None = None
    cooldown: int | None = None
    payment: int | None = None


def refusal(at: int, body: Json, event: ModelEvent | None, wanted: Counter[str]) -> Refusal | None:
    """Why a purchase or hold is refused at ``at`` (ms) whatever its seats; None if it is accepted."""
    if event is None:
        return "unknown-event", {}
    if event.definition["status"] != "ACTIVE":
        return "event-not-open", {"status": event.definition["status"]}
    found = _type_refusal(at, body["account"], event, wanted) or _order_refusal(body["account"], event, wanted)
    return found or _stock_refusal(event, wanted)


def hold_refusal(at: int, body: Json, event: ModelEvent, wanted: Counter[str], limits: ModelLimits) -> Refusal | None:
    """Why a purchase that is accepted otherwise is not held; None if it is, or need not be held."""
    if body["kind"] == "hold" or amount_due(event, wanted):
        return _hold_refusal(at, body, event, wanted, limits)
    return None


def amount_due(event: ModelEvent, wanted: Counter[str]) -> Decimal:
    """What must be paid for tickets of the event before they are sold; 0 unless it is paid online."""
    if event.definition.get("payment") != "online":
        return Decimal(0)
    return sum((Decimal(event.types[key]["price"]) * count for key, count in wanted.items()), Decimal(0))


def held_seconds(body: Json, limits: ModelLimits) -> int:
    """How long the tickets are held; those of a purchase without a hold as long as they may be paid."""
    paid = limits.payment or PAYMENT_DEFAULT_S
    seconds: int = body.get("seconds", HOLD_DEFAULT_S) if body["kind"] == "hold" else paid
    return min(seconds, limits.seconds or HOLD_MAX_S)


def _type_refusal(at: int, account: str, event: ModelEvent, wanted: Counter[str]) -> Refusal | None:
    types = event.types
    for key, count in wanted.items():
        if key not in types:
            return "unknown-ticket-type", {"ticketType": key}
        found = _window_refusal(at, types[key]) or _limit_refusal(types[key], count, event.out[account, key])
        if found is not None:
            reason, figures = found
            return reason, figures | {"ticketType": key}
    return None


def _window_refusal(at: int, ticket_type: Json) -> Refusal | None:
    texts = {name: ticket_type[name] for name in ("saleStartsAt", "saleEndsAt") if ticket_type.get(name)}
    times = {name: datetime.fromisoformat(text) for name, text in texts.items()}
    moments = {name: round(time.timestamp() * 1000) for name, time in times.items()}
    if moments.get("saleStartsAt", at) <= at < moments.get("saleEndsAt", at + 1):
        return None
    return "not-on-sale", {name: time.isoformat() for name, time in times.items()}


def _limit_refusal(limits: Json, count: int, has: int) -> Refusal | None:
    per_order, per_account = limits.get("maxPerOrder"), limits.get("maxPerAccount")
    if per_order is not None and count > per_order:
        return "order-limit-exceeded", {"limit": per_order, "requested": count}
    if per_account is not None and has + count > per_account:
        return "purchase-limit-exceeded", {"limit": per_account, "requested": count, "alreadyHas": has}
    return None


def _order_refusal(account: str, event: ModelEvent, wanted: Counter[str]) -> Refusal | None:
    definition = event.definition
    per_order = min(definition.get("maxPerOrder") or ORDER_MAX_TICKETS, ORDER_MAX_TICKETS)
    found = _limit_refusal(definition | {"maxPerOrder": per_order}, wanted.total(), event.total[account])
    if found is None and len({event.types[key]["currency"] for key in wanted}) > 1:
        return "mixed-currencies", {}
    return found


def _stock_refusal(event: ModelEvent, wanted: Counter[str]) -> Refusal | None:
    for key, count in wanted.items():
        quantity, held = event.types[key]["quantity"], event.out["held", key]
        available = quantity - held - event.out["confirmed", key]
        if count > available:
            figures = {"limit": quantity, "requested": count, "ticketType": key, "available": max(0, available)}
            return "sold-out", figures | {"held": held}
    capacity, out = event.definition.get("capacity"), event.total["held"] + event.total["confirmed"]
    if capacity is not None and out + wanted.total() > capacity:
        figures = {"limit": capacity, "requested": wanted.total(), "available": max(0, capacity - out)}
        return "capacity-exceeded", figures
    return None


def _hold_refusal(at: int, body: Json, event: ModelEvent, wanted: Counter[str], limits: ModelLimits) -> Refusal | None:
    seconds = body.get("seconds", HOLD_DEFAULT_S) if body["kind"] == "hold" and not body.get("byDefault") else 0
    if limits.seconds is not None and seconds > limits.seconds:
        return "hold-too-long", {"limit": limits.seconds, "requested": seconds}
    held = event.held[body["account"]]
    if limits.tickets is not None and held + wanted.total() > limits.tickets:
        return "hold-limit-exceeded", {"limit": limits.tickets, "requested": wanted.total(), "held": held}
    let_go = event.let_go[body["account"]]
    times = {key: let_go[key] for key in wanted if key in let_go}
    last = max(times, key=lambda key: times[key], default=None)
    if limits.cooldown is None or last is None or at >= times[last] + limits.cooldown * 1000:
        return None
    retry_at = datetime.fromtimestamp((times[last] + limits.cooldown * 1000) / 1000, UTC).isoformat()
    return "hold-too-soon", {"limit": limits.cooldown, "ticketType": last, "retryAt": retry_at}

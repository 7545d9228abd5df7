"""The rules of the ticket office in their simplest form, on plain JSON: a row per purchase, no batches, no replay."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

CHANGES_MAX: Final = 50
HOLD_MAX_S: Final = 86_400

Json = dict[str, Any]
Lines = tuple[tuple[str, int], ...]


class Told(NamedTuple):
    """What a command is told: ``offset`` is that of the command which decided."""

    partition: int
    event: str
    purchase: str | None
    offset: int
    kind: str
    reason: str | None = None
    figures: tuple[tuple[str, Any], ...] = ()
    lines: Lines = ()
    left: Lines = ()
    repeated: bool = False


@dataclass
class Event:
    """An event as it was defined last; ``ending`` is how far its purchases were ended, None if they need not be.

    ``out`` counts tickets by type, under the status and under the account of their purchase, ``held`` those that an
    account holds. That and what it let go is noted from the partition's first limits on.
    """

    partition: int
    version: int
    definition: Json
    ending: str | None = None
    out: Counter[tuple[str, str]] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    # By account, when (ms) it last gave back or lost a hold of which ticket types.
    let_go: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))


@dataclass
class Limits:
    """The limits on holds of one partition."""

    seconds: int | None = None
    tickets: int | None = None
    cooldown: int | None = None


@dataclass
class Purchase:
    """One purchase: what was asked for, and every decision on it."""

    id: str
    body: tuple[str, str, Lines]
    history: list[Told]
    status: str
    lines: Lines = ()
    deadline: float = 0
    counted: bool = False
    requests: dict[str, Told] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.body[1]


class Clerk:
    """Carries out commands one by one, and notes what each is told."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.rows: dict[tuple[str, str], Purchase] = {}
        self.of_event: dict[str, list[Purchase]] = {}
        self.told: list[Told] = []
        self.limits: dict[int, Limits] = {}

    def carry_out(self, partition: int, offset: int, at: int, body: Json) -> None:
        """Carry out the command at ``offset``, appended at ``at`` (ms)."""
        kind = body["kind"]
        if kind == "limit-holds":
            given = (body.get(name) for name in ("maxSeconds", "maxTickets", "cooldownSeconds"))
            self.limits[partition] = Limits(*given)
            return
        event = body["event"]
        if kind == "define-event":
            self._define(partition, offset, body)
            return
        if kind == "end-purchases":
            self._end(partition, offset, at, body)
            return
        row = self.rows.get((event, body["purchase"]))

        def tell(what: str, reason: str | None = None, lines: Lines = (), left: Lines = (), **figures: Any) -> Told:
            said = tuple(sorted(figures.items()))
            told = Told(partition, event, body["purchase"], offset, what, reason, said, lines, left)
            self.told.append(told)
            return told

        if kind in ("purchase", "hold"):
            self._buy(at, body, row, tell, self.limits.get(partition, Limits()))
        elif row is None:
            tell("refused", "unknown-purchase")
        elif kind == "expire":
            self._expire(at, body, row, tell)
        elif row.account != body["account"]:
            tell("refused", "not-yours")
        elif kind == "confirm":
            self._confirm(event, row, tell)
        else:
            self._cancel(event, row, body, tell, at)

    def stock(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Held and sold of each ticket type, by event, counted in the rows."""
        return {name: self.stock_of(name) for name in self.events}

    def stock_of(self, name: str) -> dict[str, tuple[int, int]]:
        """Held and sold of each ticket type of an event, counted in its rows; nothing where nobody knows the event."""
        counted: Counter[tuple[str, str]] = Counter()
        for row in self.of_event.get(name, ()):
            counted.update({(row.status, kind): count for kind, count in row.lines})
        event = self.events.get(name)
        kinds = [kind["id"] for kind in event.definition["ticketTypes"]] if event else []
        return {kind: (counted["held", kind], counted["confirmed", kind]) for kind in kinds}

    def accounts(self) -> dict[tuple[str, str], dict[str, int]]:
        """What each account has of each event, counted in the rows."""
        counted: dict[tuple[str, str], dict[str, int]] = {}
        for (event, _), row in self.rows.items():
            for kind, count in row.lines if row.status in ("held", "confirmed") else ():
                has = counted.setdefault((event, row.account), {})
                has[kind] = has.get(kind, 0) + count
        return counted

    def holders(self) -> dict[tuple[str, str], tuple[int, dict[str, int]]]:
        """What each account holds of each event, and when it let go of which types; those of which there is any."""
        return {
            (name, account): (event.held[account], event.let_go[account])
            for name, event in self.events.items()
            for account in event.held.keys() | event.let_go.keys()
            if event.held[account] or event.let_go[account]
        }

    def _define(self, partition: int, offset: int, body: Json) -> None:
        known = self.events.get(body["event"])
        if known is None:
            known = self.events[body["event"]] = Event(partition, body["version"], body["definition"])
        elif known.version >= body["version"]:
            return
        known.version, known.definition = body["version"], body["definition"]
        cancelled = known.definition["status"] == "CANCELED"
        known.ending = "" if cancelled and self._anything_out(body["event"]) else None
        self.told.append(Told(partition, body["event"], None, offset, "changed"))

    def _end(self, partition: int, offset: int, at: int, body: Json) -> None:
        event = self.events[body["event"]]
        after = body.get("after") or ""
        if event.ending is None or event.version != body["version"] or after < event.ending:
            return
        rows = [row for row in self.of_event[body["event"]] if row.id > after]
        rows = sorted(rows, key=lambda row: row.id)[: body["most"]]
        for row in rows:
            if row.status in ("held", "confirmed"):
                kind = "expired" if row.status == "held" else "refunded"
                told = Told(partition, body["event"], row.id, offset, kind, "event-canceled", (), row.lines)
                self.told.append(told)
                self._leave(body["event"], row, told, at)
        event.ending = rows[-1].id if len(rows) == body["most"] and self._anything_out(body["event"]) else None

    def _buy(self, at: int, body: Json, row: Purchase | None, tell: Any, limits: Limits) -> None:
        wanted = Counter[str]()
        for line in body["lines"]:
            wanted[line["ticketType"]] += line["quantity"]
        asked = (_what(body), body["account"], tuple(sorted(wanted.items())))
        if row is not None:
            if row.body == asked:
                self.told.append(row.history[0]._replace(repeated=True))
            else:
                tell("refused", "id-reused")
            return
        event = self.events.get(body["event"])
        refusal = self._refusal(body, event, wanted)
        if event and not refusal and body["kind"] == "hold":
            refusal = _hold_refusal(at, body, event, wanted, limits)
        if refusal or event is None:
            told = tell("rejected", **(refusal or {"reason": "unknown-event"}))
            row = Purchase(body["purchase"], asked, [told], "rejected")
        else:
            status = "held" if body["kind"] == "hold" else "confirmed"
            told = tell(status, lines=asked[2])
            row = Purchase(body["purchase"], asked, [told], status, asked[2])
            row.counted = event.partition in self.limits
            row.deadline = at + min(body.get("seconds", 600), limits.seconds or HOLD_MAX_S) * 1000
            self._move(event, row, 1)
        self.of_event.setdefault(body["event"], []).append(row)
        self.rows[body["event"], body["purchase"]] = row

    def _refusal(self, body: Json, event: Event | None, wanted: Counter[str]) -> Json | None:
        if event is None:
            return {"reason": "unknown-event"}
        if event.definition["status"] != "ACTIVE":
            return {"reason": "event-not-open", "status": event.definition["status"]}
        kinds = {kind["id"]: kind for kind in event.definition["ticketTypes"]}
        for kind, count in wanted.items():
            has = event.out[body["account"], kind]
            limit = kinds[kind].get("maxPerAccount")
            if limit is not None and has + count > limit:
                figures = {"limit": limit, "requested": count, "alreadyHas": has, "ticketType": kind}
                return {"reason": "purchase-limit-exceeded", **figures}
        for kind, count in wanted.items():
            quantity, held = kinds[kind]["quantity"], event.out["held", kind]
            available = quantity - held - event.out["confirmed", kind]
            if count > available:
                figures = {"limit": quantity, "requested": count, "ticketType": kind, "available": max(0, available)}
                return {"reason": "sold-out", **figures, "held": held}
        return None

    def _confirm(self, event: str, row: Purchase, tell: Any) -> None:
        confirmed = next((told for told in row.history if told.kind == "confirmed"), None)
        if confirmed:
            self.told.append(confirmed._replace(repeated=True))
        elif row.status != "held":
            tell("refused", "not-held", status=row.status)
        else:
            row.history.append(tell("confirmed", lines=row.lines))
            self._move(self.events[event], row, -1)
            row.status = "confirmed"
            self._move(self.events[event], row, 1)

    def _expire(self, at: int, body: Json, row: Purchase, tell: Any) -> None:
        is_over = at >= row.deadline
        if row.status == "held" and (is_over or body.get("early")):
            self._leave(body["event"], row, tell("expired", None if is_over else "hold-ended", row.lines), at)
        else:
            tell("refused", "not-held", status=row.status)

    def _cancel(self, event: str, row: Purchase, body: Json, tell: Any, at: int) -> None:
        request, wanted = body.get("request"), Counter[str]()
        for line in body.get("lines", ()):
            wanted[line["ticketType"]] += line["quantity"]
        if request in row.requests:
            self.told.append(row.requests[request]._replace(repeated=True))
            return
        if row.status == "cancelled" and not wanted:
            self.told.append(row.history[-1]._replace(repeated=True))
            return
        has = dict(row.lines)
        if not has or any(has.get(kind, 0) < count for kind, count in wanted.items()):
            tell("refused", "nothing-to-cancel", status=row.status)
            return
        gone = dict(wanted) or has
        if len(row.history) > CHANGES_MAX and sum(gone.values()) < sum(has.values()):
            tell("refused", "too-many-changes", limit=CHANGES_MAX)
            return
        left = tuple((kind, count - gone.get(kind, 0)) for kind, count in row.lines if count > gone.get(kind, 0))
        told = tell("cancelled", lines=tuple(sorted(gone.items())), left=left)
        if request:
            row.requests[request] = told
        self._leave(event, row, told, at)

    def _leave(self, event: str, row: Purchase, told: Told, at: int) -> None:
        """Give back all but what is left."""
        row.history.append(told)
        if row.status == "held" and self.events[event].partition in self.limits:
            self.events[event].let_go[row.account] |= {kind: at for kind, _ in told.lines}
        self._move(self.events[event], row, -1)
        row.lines = told.left
        if row.lines:
            self._move(self.events[event], row, 1)
        else:
            row.status = told.kind

    def _move(self, event: Event, row: Purchase, sign: int) -> None:
        for kind, count in row.lines:
            event.out[row.account, kind] += sign * count
            event.out[row.status, kind] += sign * count
            event.held[row.account] += sign * count * (row.counted and row.status == "held")

    def _anything_out(self, event: str) -> bool:
        return any(row.lines for row in self.of_event.get(event, ()))


def _hold_refusal(at: int, body: Json, event: Event, wanted: Counter[str], limits: Limits) -> Json | None:
    seconds = body.get("seconds", 600)
    if limits.seconds is not None and seconds > limits.seconds and not body.get("byDefault"):
        return {"reason": "hold-too-long", "limit": limits.seconds, "requested": seconds}
    held = event.held[body["account"]]
    if limits.tickets is not None and held + wanted.total() > limits.tickets:
        return {"reason": "hold-limit-exceeded", "limit": limits.tickets, "requested": wanted.total(), "held": held}
    let_go = event.let_go[body["account"]]
    times = {kind: let_go[kind] for kind in wanted if kind in let_go}
    last = max(times, key=lambda kind: times[kind], default=None)
    if limits.cooldown is None or last is None or at >= times[last] + limits.cooldown * 1000:
        return None
    retry_at = datetime.fromtimestamp((times[last] + limits.cooldown * 1000) / 1000, UTC).isoformat()
    return {"reason": "hold-too-soon", "limit": limits.cooldown, "ticketType": last, "retryAt": retry_at}


def _what(body: Json) -> str:
    """What was asked for: a time that the operator's setting chose is no part of it."""
    if body["kind"] != "hold":
        return "purchase"
    return "hold" if body.get("byDefault") else f"hold {body.get('seconds', 600)}"

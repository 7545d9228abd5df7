"""The rules of the ticket office in their simplest form, on plain JSON: a row per purchase, no batches, no replay."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

CHANGES_MAX: Final = 50

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

    ``out`` counts tickets by type, under the status and under the account of their purchase.
    """

    version: int
    definition: Json
    ending: str | None = None
    out: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass
class Purchase:
    """One purchase: what was asked for, and every decision on it."""

    id: str
    body: tuple[str, str, Lines]
    history: list[Told]
    status: str
    lines: Lines = ()
    deadline: float = 0
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

    def carry_out(self, partition: int, offset: int, at: int, body: Json) -> None:
        """Carry out the command at ``offset``, appended at ``at`` (ms)."""
        kind, event = body["kind"], body["event"]
        if kind == "define-event":
            self._define(partition, offset, body)
            return
        if kind == "end-purchases":
            self._end(partition, offset, body)
            return
        row = self.rows.get((event, body["purchase"]))

        def tell(what: str, reason: str | None = None, lines: Lines = (), left: Lines = (), **figures: Any) -> Told:
            said = tuple(sorted(figures.items()))
            told = Told(partition, event, body["purchase"], offset, what, reason, said, lines, left)
            self.told.append(told)
            return told

        if kind in ("purchase", "hold"):
            self._buy(at, body, row, tell)
        elif row is None:
            tell("refused", "unknown-purchase")
        elif kind == "expire":
            if row.status == "held" and at >= row.deadline:
                self._leave(event, row, tell("expired", lines=row.lines))
            else:
                tell("refused", "not-held", status=row.status)
        elif row.account != body["account"]:
            tell("refused", "not-yours")
        elif kind == "confirm":
            self._confirm(event, row, tell)
        else:
            self._cancel(event, row, body, tell)

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

    def _define(self, partition: int, offset: int, body: Json) -> None:
        known = self.events.get(body["event"])
        if known is None:
            known = self.events[body["event"]] = Event(body["version"], body["definition"])
        elif known.version >= body["version"]:
            return
        known.version, known.definition = body["version"], body["definition"]
        cancelled = known.definition["status"] == "CANCELED"
        known.ending = "" if cancelled and self._anything_out(body["event"]) else None
        self.told.append(Told(partition, body["event"], None, offset, "changed"))

    def _end(self, partition: int, offset: int, body: Json) -> None:
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
                self._leave(body["event"], row, told)
        event.ending = rows[-1].id if len(rows) == body["most"] and self._anything_out(body["event"]) else None

    def _buy(self, at: int, body: Json, row: Purchase | None, tell: Any) -> None:
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
        if refusal or event is None:
            told = tell("rejected", **(refusal or {"reason": "unknown-event"}))
            row = Purchase(body["purchase"], asked, [told], "rejected")
        else:
            status = "held" if body["kind"] == "hold" else "confirmed"
            told = tell(status, lines=asked[2])
            row = Purchase(body["purchase"], asked, [told], status, asked[2], at + body.get("seconds", 600) * 1000)
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

    def _cancel(self, event: str, row: Purchase, body: Json, tell: Any) -> None:
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
        self._leave(event, row, told)

    def _leave(self, event: str, row: Purchase, told: Told) -> None:
        """Give back all but what is left."""
        row.history.append(told)
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

    def _anything_out(self, event: str) -> bool:
        return any(row.lines for row in self.of_event.get(event, ()))


def _what(body: Json) -> str:
    """What was asked for: a time that the operator's setting chose is no part of it."""
    if body["kind"] != "hold":
        return "purchase"
    return "hold" if body.get("byDefault") else f"hold {body.get('seconds', 600)}"

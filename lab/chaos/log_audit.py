"""An audit of the ledger's topics that shares no code with the ledger.

The reference model carries out the commands; every outcome and every record of the changelog is compared with it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from kafka.partitioner.default import murmur2

from lab.chaos.reference_model import ReferenceModel
from lab.chaos.reference_purchases import ModelOutcome, hashable
from lab.chaos.seat_map import Plans, SeatMap


class Row(NamedTuple):
    """A record of a topic; ``at`` in ms."""

    partition: int
    offset: int
    at: int
    key: bytes
    value: bytes


@dataclass
class LogAudit:
    """``sent`` has where each acknowledged command was put, and its bytes."""

    partitions: int
    sent: list[tuple[int, int, bytes]]
    commands: list[Row]
    outcomes: list[Row]
    changelog: list[Row]

    @cached_property
    def model(self) -> ReferenceModel:
        """The reference model after the whole log."""
        model = ReferenceModel()
        for row in self.commands:
            body = json.loads(row.value)
            if self._is_at_home(row, body) and not _is_set_aside(body):
                model.apply(row.partition, row.offset, row.at, body)
        return model

    @cached_property
    def seat_map(self) -> SeatMap:
        """Who has which seat, from the outcomes alone."""
        return SeatMap((row.partition, row.at, json.loads(row.value)) for row in self.outcomes)

    @cached_property
    def plans(self) -> Plans:
        """The halls' plans in the log."""
        bodies = ((row, json.loads(row.value)) for row in self.commands)
        return Plans(body for row, body in bodies if self._is_at_home(row, body))

    @cached_property
    def table(self) -> dict[tuple[int, bytes], bytes]:
        """What the changelog says: of each key the record of the highest offset."""
        table: dict[tuple[int, bytes], bytes] = {}
        for row in self.changelog:
            known = table.get((row.partition, row.key))
            if known is None or _fields(row.value)[0] >= _fields(known)[0]:
                table[row.partition, row.key] = row.value
        return table

    @property
    def superseded(self) -> list[bytes]:
        """The keys whose last record in the changelog is not the newest: a compaction would lose something."""
        last = {(row.partition, row.key): row.value for row in self.changelog}
        return [key for (partition, key), value in self.table.items() if last[partition, key] != value]

    def violations(self) -> list[str]:
        """Everything that breaks a promise; nothing, if all is well."""
        checks = (
            self._lost,
            self._told,
            self._contradictions,
            self._stock,
            self._purchases,
            self._counts,
            self._ends,
            self._holders,
            self._seats,
        )
        return [f"{check.__name__[1:]}: {problem}" for check in checks for problem in check()]

    def _lost(self) -> Iterator[str]:
        """What Kafka acknowledged is in the log, where it said, and also in its right place where that was another."""
        log = {(row.partition, row.offset): row for row in self.commands}
        at_home = {row.value for row in self.commands if self._is_at_home(row, json.loads(row.value))}
        for partition, offset, value in self.sent:
            row = log.get((partition, offset))
            if row is None or row.value != value:
                yield f"[{partition}]@{offset} is not what was sent"
            elif value not in at_home:
                yield f"[{partition}]@{offset} never came to partition {self._home(row.key)}"

    def _told(self) -> Iterator[str]:
        """Each command got its outcome, and there are no others."""
        told = {model_outcome(row.partition, json.loads(row.value)) for row in self.outcomes}
        due = set(self.model.outcomes)
        optional = {replace(outcome, offset=-1) for outcome in due if outcome.kind == "changed"}
        for outcome in sorted(due - told, key=str):
            yield f"never told: {outcome}"
        for outcome in sorted(told - due, key=str):
            if replace(outcome, offset=-1) not in optional:
                yield f"told without being true: {outcome}"

    def _contradictions(self) -> Iterator[str]:
        """A decision is told the same however often, but for how the event stands by then."""
        first: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in self.outcomes:
            body = json.loads(row.value)
            if body["kind"] == "changed":
                continue
            for fresh in ("balance", "facts", "asOf", "repeated", "request"):
                body.pop(fresh, None)
            # A repeat of a refused body is told with its own fingerprint.
            key = (row.partition, body["event"], body["purchase"], body["offset"])
            if first.setdefault(key, body) != body:
                yield f"[{row.partition}] {body} was {first[key]} before"

    def _stock(self) -> Iterator[str]:
        """At no time is more out than there is, nor less than nothing; nothing is sold where a quantity was lowered."""
        out: dict[tuple[bytes, bytes], int] = {}
        for row in sorted(self.changelog, key=lambda row: (row.partition, _fields(row.value)[0])):
            if row.key[16:17] == b"e":
                _, _, definition, stock, *_ = _fields(row.value)
                quantities = {kind["id"]: kind["quantity"] for kind in json.loads(definition).get("ticketTypes", ())}
                for kind, held, sold in stock:
                    grown = held + sold > out.get((row.key, kind), 0)
                    out[row.key, kind] = held + sold
                    if held < 0 or sold < 0 or (grown and held + sold > quantities[str(UUID(bytes=kind))]):
                        yield f"changelog[{row.partition}]@{row.offset}: {held} held and {sold} sold of {quantities}"

    def _purchases(self) -> Iterator[str]:
        """The table holds every purchase with every decision on it."""
        kept = {}
        for (_, key), value in self.table.items():
            if key[16:17] == b"p":
                history = [(decision[0], decision[2]) for decision in _fields(value)[4]]
                kept[str(UUID(bytes=key[:16])), str(UUID(bytes=key[17:]))] = history
        due = {key: [(told.offset, told.kind) for told in row.history] for key, row in self.model.purchases.items()}
        yield from _differences(kept, due)

    def _counts(self) -> Iterator[str]:
        """The counters of events and accounts are the sums of their purchases."""
        events: dict[Any, Any] = {}
        accounts: dict[Any, Any] = {}
        holders: dict[Any, Any] = {}
        for (_, key), value in self.table.items():
            event, fields = str(UUID(bytes=key[:16])), _fields(value)
            if key[16:17] == b"e":
                events[event] = {str(UUID(bytes=kind)): (held, sold) for kind, held, sold in fields[3]}
            elif key[16:17] == b"a":
                account = event, str(UUID(bytes=key[17:]))
                counts = {str(UUID(bytes=kind)): count for kind, count in fields[1]}
                if counts:
                    accounts[account] = counts
                if len(fields) > 2 and fields[2]:
                    held, _, let_go = fields[2]
                    holders[account] = held, {str(UUID(bytes=kind)): at for kind, at in let_go}
        yield from _differences(events, self.model.stock())
        yield from _differences(accounts, self.model.accounts())
        yield from _differences(holders, self.model.holders())

    def _ends(self) -> Iterator[str]:
        """A cancelled event has nothing out in the end."""
        for event, known in self.model.events.items():
            if known.ending is not None:
                yield f"event {event} was cancelled, but its purchases were ended only up to {known.ending!r}"

    def _holders(self) -> Iterator[str]:
        """No seat ever had two holders."""
        yield from self.seat_map.double

    def _seats(self) -> Iterator[str]:
        """The sections' records have every seat that is held or sold by the outcomes, and no other one."""
        kept: dict[tuple[str, str], bool] = {}
        for (_, key), value in self.table.items():
            if key[16:17] == b"s":
                event, section = str(UUID(bytes=key[:16])), key[17:].decode()
                _, plan, held, sold, removed = _fields(value)
                for bits, is_sold in ((held, False), (sold, True)):
                    names = self.plans.named(event, plan, section, int.from_bytes(bits, "little"))
                    kept |= {(event, name): is_sold for name in names}
                kept |= {(event, name): is_sold for name, is_sold in removed}
        yield from _differences(kept, {seat: holder.sold for seat, holder in self.seat_map.holders.items()})

    def _is_at_home(self, row: Row, body: dict[str, Any]) -> bool:
        """Whether a command is decided where it lies; limits are of the partition, wherever that is."""
        return body["kind"] == "limit-holds" or row.partition == self._home(row.key)

    def _home(self, key: bytes) -> int:
        """The partition of an event: Kafka's default."""
        return int((murmur2(key) & 0x7FFFFFFF) % self.partitions)

    def due_holds(self, now: datetime) -> list[str]:
        """The purchases that are held though their time is over."""
        return [
            purchase
            for (_, purchase), row in self.model.purchases.items()
            if row.status == "held" and row.deadline < now.timestamp() * 1000
        ]


def _is_set_aside(body: dict[str, Any]) -> bool:
    """Whether a command becomes a dead letter: only a request tells the repeat of a partial cancel from another one."""
    return bool(body["kind"] == "cancel" and (body.get("lines") or body.get("seats")) and not body.get("request"))


def _fields(value: bytes) -> list[Any]:
    fields: list[Any] = msgspec.msgpack.decode(value)
    return fields


def model_outcome(partition: int, body: dict[str, Any]) -> ModelOutcome:
    """An outcome of the topic, from its JSON, as the reference model has it."""
    lines, left = (
        tuple(sorted((line["ticketType"], line["quantity"]) for line in body.get(name, ())))
        for name in ("lines", "left")
    )
    return ModelOutcome(
        partition,
        body["event"],
        body.get("purchase"),
        body["offset"],
        body["kind"],
        body.get("reason"),
        tuple(sorted(hashable(body.get("figures", {})).items())),
        lines,
        left,
        body.get("repeated", False),
        Decimal(body["payment"]["amount"]) if "payment" in body else None,
        body.get("reference"),
        tuple(sorted(seat for line in body.get("lines", ()) for seat in line.get("seats", ()))),
    )


def _differences(has: dict[Any, Any], should: dict[Any, Any]) -> Iterator[str]:
    for key in sorted(has.keys() | should.keys(), key=str):
        if has.get(key) != should.get(key):
            yield f"{key} is {has.get(key)}, should be {should.get(key)}"

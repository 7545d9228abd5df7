"""A run's evidence, prepared for the checks: the audit of the log, and lookups."""

import json
from bisect import bisect_right
from collections import defaultdict
from functools import cached_property
from typing import Any, Final
from uuid import UUID, uuid5

from lab.chaos.evidence import Evidence, Record
from lab.chaos.log_audit import LogAudit, Row
from lab.chaos.reference_model import ReferenceModel
from lab.chaos.reference_purchases import ModelPurchase

Json = dict[str, Any]

COMMANDS: Final = "ticket-commands"
OUTCOMES: Final = "ticket-purchase"
CHANGELOG: Final = "turnstile-ledger-changelog"
JOBS: Final = "notification-jobs"

# A ticket type, and what is said about the seats.
Wish = tuple[str, str]


class Case:
    """One run."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.partitions = int(evidence.run["partitions"])
        self.operations = {operation["n"]: operation for operation in evidence.workload}
        self.emails = {person["id"]: person["email"] for person in evidence.people}

    def notes(self, *names: str) -> list[Json]:
        """The history's entries of these names, in the order in which they began."""
        return sorted((note for note in self.evidence.history if note["what"] in names), key=lambda note: note["at"])

    @cached_property
    def poison(self) -> set[bytes]:
        """The values of the records that were written as poison."""
        return {operation["value"].encode() for operation in self.evidence.workload if operation["name"] == "poison"}

    def readable(self, topic: str) -> list[Record]:
        """The records of a topic without the poison."""
        return [row for row in self.evidence.topics[topic] if row.value is not None and row.value not in self.poison]

    @cached_property
    def audit(self) -> LogAudit:
        """The audit of the ledger's topics and of what Kafka acknowledged to the client."""
        sent = [
            (note["partition"], note["offset"], self.operations[note["n"]]["value"].encode())
            for note in self.notes("command")
            if note["offset"] is not None
        ]
        topics = (COMMANDS, OUTCOMES, CHANGELOG)
        return LogAudit(self.partitions, sent, *([_row(row) for row in self.readable(topic)] for topic in topics))

    @property
    def model(self) -> ReferenceModel:
        """The reference model, which has carried out the whole log."""
        return self.audit.model

    @cached_property
    def refusals(self) -> set[tuple[str, str, str]]:
        """Event, purchase and reason of every refused command."""
        return {
            (told.event, told.purchase, told.reason)
            for told in self.model.outcomes
            if told.kind == "refused" and told.purchase and told.reason
        }

    @cached_property
    def changes(self) -> dict[str, list[tuple[float, str | None]]]:
        """Of each request id, when the commands decided for it were appended (seconds), and why each was refused."""
        first = [told for told in self.model.outcomes if not told.repeated]
        reasons = {(told.partition, told.offset): told.reason if told.kind == "refused" else None for told in first}
        found: dict[str, list[tuple[float, str | None]]] = defaultdict(list)
        for row in self.readable(COMMANDS):
            place = row.partition, row.offset
            if place in reasons and (request := json.loads(row.value or b"").get("request")):
                found[request].append((row.at / 1000, reasons[place]))
        return found

    def row(self, operation: Json) -> tuple[str, str, ModelPurchase | None]:
        """Event and purchase of a request to buy, and what the log says of it."""
        event, purchase = operation["body"]["eventId"], str(uuid5(UUID(operation["who"]), operation["key"]))
        return event, purchase, self.model.purchases.get((event, purchase))

    @cached_property
    def outcomes(self) -> list[tuple[Record, Json]]:
        """The outcomes as JSON, in the order of the topic."""
        return [(row, json.loads(row.value or b"")) for row in self.readable(OUTCOMES)]

    @cached_property
    def first_told(self) -> dict[tuple[str, str], int]:
        """When the first decision on each purchase was appended (ms); refused commands don't count."""
        first: dict[tuple[str, str], int] = {}
        for row, outcome in self.outcomes:
            if outcome.get("purchase") and outcome["kind"] != "refused":
                first.setdefault((outcome["event"], outcome["purchase"]), row.at)
        return first

    @cached_property
    def shortages(self) -> dict[Wish, list[tuple[float, int]]]:
        """When (seconds) a wish was refused since too few seats were left for it, and how many were left."""
        refused: dict[tuple[int, int], dict[str, Any]] = {}
        for told in self.model.outcomes:
            if told.reason == "sold-out" and not told.repeated:
                refused[told.partition, told.offset] = dict(told.figures)
        found: dict[Wish, list[tuple[float, int]]] = defaultdict(list)
        for row in self.readable(COMMANDS):
            if figures := refused.get((row.partition, row.offset)):
                for line in json.loads(row.value or b"")["lines"]:
                    if line["ticketType"] == figures["ticketType"]:
                        found[wish(line)].append((row.at / 1000, figures["available"]))
        return found

    @cached_property
    def available(self) -> "Availability":
        """The available tickets of each type over time."""
        return Availability(self)


def wish(line: Json) -> Wish:
    """Which seats a line of a request or a command wants."""
    best = line.get("best")
    wanted = "named" if line.get("seats") else "" if best is None else f"best {sorted(best.items())}"
    return line.get("ticketType") or line["ticketTypeId"], wanted


class Availability:
    """How many tickets of a type were available at any time, by the log."""

    def __init__(self, case: Case) -> None:
        self._steps: dict[str, list[tuple[int, int]]] = defaultdict(list)
        quantity: dict[str, int] = {}
        out: dict[str, int] = defaultdict(int)
        told = defaultdict(list)
        for each in case.model.outcomes:
            if not each.repeated:
                told[each.partition, each.offset].append(each)
        for row in sorted(case.readable(COMMANDS), key=lambda row: (row.partition, row.offset)):
            changed: dict[str, int] = {}
            for each in told[row.partition, row.offset]:
                if each.kind == "changed":
                    kinds = json.loads(row.value or b"")["definition"].get("ticketTypes", ())
                    changed |= {kind["id"]: 0 for kind in kinds}
                    quantity |= {kind["id"]: kind["quantity"] for kind in kinds}
                row_of = case.model.purchases.get((each.event, each.purchase or ""))
                sign = _effect(each.kind, first=row_of is not None and row_of.history[0] == each)
                for kind, count in each.lines if sign else ():
                    changed[kind] = changed.get(kind, 0) + sign * count
            for kind, count in changed.items():
                out[kind] += count
                self._steps[kind].append((row.at, quantity[kind] - out[kind]))

    def least(self, kind: str, begin: float, end: float) -> int | None:
        """The least that was available between two moments (seconds); None before the log knew the type."""
        steps = self._steps.get(kind, [])
        first = max(0, bisect_right(steps, (round(begin * 1000), 1 << 60)) - 1)
        last = bisect_right(steps, (round(end * 1000), 1 << 60))
        return min((left for _, left in steps[first:last]), default=None)


def _effect(kind: str, *, first: bool) -> int:
    if kind in ("held", "confirmed"):
        return 1 if first else 0
    return -1 if kind in ("cancelled", "expired", "refunded") else 0


def _row(row: Record) -> Row:
    return Row(row.partition, row.offset, row.at, row.key, row.value or b"")

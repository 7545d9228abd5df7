"""What must always be true, and whether it is: green, red, or not known while a part does not answer or catches up."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from api.board.components import Health, Part
from api.board.pipeline_state import Facts
from api.board.stock_bounds import Bounds


class Verdict(StrEnum):
    """Of one rule."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Rule(Struct, frozen=True):
    """A promise and how it stands."""

    id: str
    promise: str
    verdict: Verdict
    detail: str


def rules(bounds: Bounds, facts: Facts, parts: Iterable[Part]) -> tuple[Rule, ...]:
    """All of them."""
    drawn = {part.id: part for part in parts}
    return (_stock(bounds), _decided(drawn["ledger"]), _captured(drawn["connect"]), _found(facts), _letters(facts))


def _stock(bounds: Bounds) -> Rule:
    verdict = Verdict.BROKEN if bounds.broken else Verdict.HOLDS if bounds.checked else Verdict.UNKNOWN
    detail = bounds.broken or (f"{bounds.checked:,} balances checked" if bounds.checked else "nothing was sold yet")
    return Rule("stock", "No ticket is sold twice: 0 ≤ held + sold ≤ quantity", verdict, detail)


def _decided(ledger: Part) -> Rule:
    return Rule("decided", "Every accepted command is decided", _verdict(ledger), ledger.lag or ledger.note)


def _captured(connect: Part) -> Rule:
    return Rule("captured", "Every change of a row is captured", _verdict(connect), connect.note)


def _found(facts: Facts) -> Rule:
    promise = "The search equals PostgreSQL"
    if facts.database is None or facts.documents is None or facts.log is None:
        return Rule("found", promise, Verdict.UNKNOWN, "not known yet")
    rows, documents = facts.database.events, facts.documents
    told = f"{documents:,} of {rows:,} events are found"
    if rows == documents:
        return Rule("found", promise, Verdict.HOLDS, told)
    waits = facts.log.groups["indexer"].lag or any(slot.behind for slot in facts.database.slots)
    return Rule("found", promise, Verdict.UNKNOWN if waits else Verdict.BROKEN, told)


def _letters(facts: Facts) -> Rule:
    promise = "No record had to be put aside"
    if facts.letters is None:
        return Rule("letters", promise, Verdict.UNKNOWN, "not known yet")
    count = sum(facts.letters.values())
    detail = f"{count:,} dead letter{'' if count == 1 else 's'} open" if count else "no dead letters"
    return Rule("letters", promise, Verdict.BROKEN if count else Verdict.HOLDS, detail)


def _verdict(part: Part) -> Verdict:
    if part.health is Health.UNKNOWN:
        return Verdict.UNKNOWN
    return Verdict.HOLDS if part.health is Health.WELL else Verdict.BROKEN

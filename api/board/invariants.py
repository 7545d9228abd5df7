"""What must always be true, and whether it is, from the checked balances and the newest state."""

from collections.abc import Iterable, Sequence
from typing import Final

from api.board.pipeline_state import PipelineState
from api.board.snapshot import Component, ComponentHealth, Invariant, InvariantVerdict
from api.board.stock_bounds import StockBounds
from connect.observe.definitions import EventDifference

FIELDS_SHOWN: Final = 3


def invariants(bounds: StockBounds, state: PipelineState, components: Iterable[Component]) -> tuple[Invariant, ...]:
    """All of them."""
    by_id = {component.id: component for component in components}
    return (
        _stock(bounds),
        _decided(by_id["ledger"]),
        _captured(by_id["connect"]),
        _sold_as_said(state),
        _found(state),
        _dead_letters(state),
    )


def _stock(bounds: StockBounds) -> Invariant:
    verdict = (
        InvariantVerdict.BROKEN
        if bounds.broken
        else InvariantVerdict.HOLDS
        if bounds.checked
        else InvariantVerdict.UNKNOWN
    )
    detail = bounds.broken or (f"{bounds.checked:,} balances checked" if bounds.checked else "nothing was sold yet")
    return Invariant("stock", "No ticket is sold twice: 0 ≤ held + sold ≤ quantity", verdict, detail)


def _decided(ledger: Component) -> Invariant:
    return Invariant("decided", "Every accepted command is decided", _verdict(ledger), ledger.lag or ledger.note)


def _captured(connect: Component) -> Invariant:
    return Invariant("captured", "Every change of a row is captured", _verdict(connect), connect.note)


def _sold_as_said(state: PipelineState) -> Invariant:
    promise = "The ledger sells what PostgreSQL says"
    if state.differing is None:
        return Invariant("sale", promise, InvariantVerdict.UNKNOWN, "not known yet")
    if not state.differing:
        return Invariant("sale", promise, InvariantVerdict.HOLDS, "no event differs")
    return Invariant("sale", promise, InvariantVerdict.BROKEN, _first_of(state.differing))


def _first_of(differing: Sequence[EventDifference]) -> str:
    """The first difference with its first fields; the board has one line for it."""
    first = differing[0]
    told = str(first._replace(fields=first.fields[:FIELDS_SHOWN]))
    return told if len(differing) == 1 else f"{len(differing):,} events differ; {told}"


def _found(state: PipelineState) -> Invariant:
    promise = "The search equals PostgreSQL"
    if state.database is None or state.documents is None or state.log is None:
        return Invariant("found", promise, InvariantVerdict.UNKNOWN, "not known yet")
    rows, documents = state.database.events, state.documents
    told = f"{documents:,} of {rows:,} events are found"
    if rows == documents:
        return Invariant("found", promise, InvariantVerdict.HOLDS, told)
    waits = state.log.groups["indexer"].lag or any(slot.behind for slot in state.database.slots)
    return Invariant("found", promise, InvariantVerdict.UNKNOWN if waits else InvariantVerdict.BROKEN, told)


def _dead_letters(state: PipelineState) -> Invariant:
    promise = "No record had to be put aside"
    if state.dead_letters is None:
        return Invariant("letters", promise, InvariantVerdict.UNKNOWN, "not known yet")
    count = sum(state.dead_letters.values())
    detail = f"{count:,} dead letter{'' if count == 1 else 's'} open" if count else "no dead letters"
    return Invariant("letters", promise, InvariantVerdict.BROKEN if count else InvariantVerdict.HOLDS, detail)


def _verdict(component: Component) -> InvariantVerdict:
    if component.health is ComponentHealth.UNKNOWN:
        return InvariantVerdict.UNKNOWN
    return InvariantVerdict.HOLDS if component.health is ComponentHealth.WELL else InvariantVerdict.BROKEN

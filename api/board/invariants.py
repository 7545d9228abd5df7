"""What must always be true, and whether it is, from the checked balances and the newest state."""

from collections.abc import Iterable, Sequence
from typing import Final

from api.board.board_text import NOTHING, BoardText, board_text, counted_text
from api.board.pipeline_state import PipelineState
from api.board.snapshot import Component, ComponentHealth, Invariant, InvariantVerdict
from api.board.stock_bounds import StockBounds
from connect.observe.definitions import EventDifference

FIELDS_SHOWN: Final = 3
NOT_KNOWN: Final = board_text("not known yet")


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
    checked = counted_text("{number} balance checked", "{number} balances checked", bounds.checked)
    promise = board_text("No ticket is sold twice: 0 ≤ held + sold ≤ quantity")
    return Invariant("stock", promise, verdict, bounds.broken or checked)


def _decided(ledger: Component) -> Invariant:
    detail = ledger.note if ledger.lag is NOTHING else ledger.lag
    return Invariant("decided", board_text("Every accepted command is decided"), _verdict(ledger), detail)


def _captured(connect: Component) -> Invariant:
    return Invariant("captured", board_text("Every change of a row is captured"), _verdict(connect), connect.note)


def _sold_as_said(state: PipelineState) -> Invariant:
    promise = board_text("The ledger sells what PostgreSQL says")
    if state.differing is None:
        return Invariant("sale", promise, InvariantVerdict.UNKNOWN, NOT_KNOWN)
    if not state.differing:
        return Invariant("sale", promise, InvariantVerdict.HOLDS, board_text("no event differs"))
    return Invariant("sale", promise, InvariantVerdict.BROKEN, _first_of(state.differing))


def _first_of(differing: Sequence[EventDifference]) -> BoardText:
    """The first difference with its first fields; the board has one line for it."""
    first = differing[0]
    fields = "; ".join(map(str, first.fields[:FIELDS_SHOWN]))
    told = board_text("event {event} differs in {fields}", event=str(first.event), fields=fields)
    if len(differing) == 1:
        return told
    return board_text("{number} events differ; {first}", number=len(differing), first=told)


def _found(state: PipelineState) -> Invariant:
    promise = board_text("The search equals PostgreSQL")
    if state.database is None or state.documents is None or state.log is None:
        return Invariant("found", promise, InvariantVerdict.UNKNOWN, NOT_KNOWN)
    rows, documents = state.database.events, state.documents
    told = board_text("{documents} of {rows} events are found", documents=documents, rows=rows)
    if rows == documents:
        return Invariant("found", promise, InvariantVerdict.HOLDS, told)
    waits = state.log.groups["indexer"].lag or any(slot.behind for slot in state.database.slots)
    return Invariant("found", promise, InvariantVerdict.UNKNOWN if waits else InvariantVerdict.BROKEN, told)


def _dead_letters(state: PipelineState) -> Invariant:
    promise = board_text("No record had to be put aside")
    if state.dead_letters is None:
        return Invariant("letters", promise, InvariantVerdict.UNKNOWN, NOT_KNOWN)
    count = sum(state.dead_letters.values())
    opened = counted_text("{number} dead letter open", "{number} dead letters open", count)
    detail = opened if count else board_text("no dead letters")
    return Invariant("letters", promise, InvariantVerdict.BROKEN if count else InvariantVerdict.HOLDS, detail)


def _verdict(component: Component) -> InvariantVerdict:
    if component.health is ComponentHealth.UNKNOWN:
        return InvariantVerdict.UNKNOWN
    return InvariantVerdict.HOLDS if component.health is ComponentHealth.WELL else InvariantVerdict.BROKEN

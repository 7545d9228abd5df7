"""Mutants of the API and of the workers behind the ledger. Each imports what it changes: no process has everything."""

import sys
from pkgutil import resolve_name
from typing import Any
from uuid import uuid4

from lab.chaos.mutants.patching import patch


def index_version() -> None:
    """The index keeps what was written last, whatever its version."""
    from streams.search import index

    encode = index._encode

    def unversioned(value: Any) -> bytes:
        if isinstance(value, dict) and "index" in value:
            value = {"index": {"_id": value["index"]["_id"]}}
        return encode(value)

    patch(index, "_encode", unversioned)


def projection_order() -> None:
    """The projection keeps what was written last, whatever its offset."""
    from streams.projections import purchases

    patch(purchases, "UPSERT", purchases.UPSERT.partition("WHERE purchase.ledger_offset")[0])


def mail_memory() -> None:
    """A repeated outcome is taken for a new one."""
    from tables.bookings.records import booking_key
    from tables.bookings.unit_of_work import BookingsUnitOfWork

    apply = BookingsUnitOfWork.apply

    def apply_as_new(self: Any, outcome: Any) -> Any:
        load, key = self._load, outcome.purchase and booking_key(outcome.event, outcome.purchase)
        self._changed.pop(key, None)
        self._load = lambda wanted: None if wanted == key else load(wanted)
        try:
            return apply(self, outcome)
        finally:
            self._load = load

    patch(BookingsUnitOfWork, "apply", apply_as_new)


def dead_letters() -> None:
    """An unreadable record is dropped."""
    from streams.worker import AGENTS

    for agents in AGENTS.values():
        resolve_name(agents)

    async def drop(*_: object) -> None:
        return

    for name, module in list(sys.modules.items()):
        if name.startswith("streams.") and hasattr(module, "send_to_dead_letters"):
            patch(module, "send_to_dead_letters", drop)


def outbox() -> None:
    """A change of an event is stored without its announcement."""
    from api.adapters.postgres import events

    patch(events, "announce", lambda *_: None)


def hidden_drafts() -> None:
    """A search finds drafts."""
    from api.search.filters import PUBLIC

    PUBLIC["bool"]["filter"] = [{"term": {"deleted": False}}]


def ownership() -> None:
    """Everybody may act for everybody."""
    from api.auth.tokens import Caller

    patch(Caller, "may_act_for", lambda *_: True)


def idempotency_key() -> None:
    """A repeated request is another purchase."""
    from api.purchasing import service

    patch(service, "purchase_id", lambda *_: uuid4())

"""``python -m lab.chaos.mutants MODULE``: a real process of the project that lacks a safety mechanism.

CHAOS_WITHOUT names what it lacks. Only negative controls start it; nothing that is deployed knows of it.
"""

import asyncio
import os
import runpy
import sys
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

# Nearly all of a batch's time, so that a kill at any moment of the sale comes into it.
SLOWLY_S: Final = 1.0


def patch(owner: Any, name: str, value: Any) -> None:
    """Put ``value`` in the place of what is there."""
    assert hasattr(owner, name), name
    setattr(owner, name, value)


def index_version() -> None:
    """What is written to the index last stands there."""
    from streams.search import index

    encode = index._encode

    def unversioned(value: Any) -> bytes:
        if isinstance(value, dict) and "index" in value:
            value = {"index": {"_id": value["index"]["_id"]}}
        return encode(value)

    patch(index, "_encode", unversioned)


def projection_order() -> None:
    """What comes to the projection last stands there."""
    from streams.projections import purchases

    patch(purchases, "UPSERT", purchases.UPSERT.partition("WHERE purchase.ledger_offset")[0])


def mail_memory() -> None:
    """An outcome that is known is news again."""
    from tables.bookings import records, unit_of_work

    booking_after = records.booking_after
    patch(unit_of_work, "booking_after", lambda _, outcome: booking_after(None, outcome))


def dead_letters() -> None:
    """What nobody can read is dropped."""
    import streams.worker  # noqa: F401

    async def drop(*_: object) -> None:
        return

    for name, module in list(sys.modules.items()):
        if name.startswith("streams.") and hasattr(module, "bury"):
            patch(module, "bury", drop)


def outbox() -> None:
    """A change of an event is stored without its announcement."""
    from api.adapters.postgres import events

    patch(events, "_announce", lambda *_: None)


def hidden_drafts() -> None:
    """A search finds drafts, too."""
    from api.search.filters import PUBLIC

    PUBLIC["bool"]["filter"] = [{"term": {"deleted": False}}]


def ownership() -> None:
    """Everybody may act for everybody."""
    from api.auth.tokens import Caller

    patch(Caller, "may_act_for", lambda *_: True)


def keys() -> None:
    """A request that is sent again is another purchase."""
    from api.purchasing import service

    patch(service, "purchase_id", lambda *_: uuid4())


def ledger_memory() -> None:
    """A purchase that is on record is decided again."""
    from tables.ledger.ledger import Ledger
    from tables.messages.commands import Buy, Hold

    decide = Ledger._decide

    def anew(ledger: Ledger, offset: int, at: int, command: Any, known: Any, inventory: Any) -> Any:
        forgotten = None if isinstance(command, (Buy, Hold)) else known
        return decide(ledger, offset, at, command, forgotten, inventory)

    patch(Ledger, "_decide", anew)


def partition_check() -> None:
    """Every command is at home where it lies."""
    from streams.inventory import ledger

    class Anywhere(int):
        __hash__ = int.__hash__

        def __eq__(self, other: object) -> bool:
            return True

        def __ne__(self, other: object) -> bool:
            return False

    patch(ledger, "partition_of", lambda *_: Anywhere())


def offset_rule() -> None:
    """What comes last in the changelog is taken, however old it is, and nothing is written over it."""
    from streams.runtime.table import OffsetTable

    def take_over(table: OffsetTable, partition: int, rows: list[tuple[bytes, bytes]]) -> None:
        table._put(partition, rows)

    async def answer(*_: object) -> None:
        return

    patch(OffsetTable, "take_over", take_over)
    patch(OffsetTable, "_answer", answer)


def slow_writes() -> None:
    """No mechanism is lacking: records are only written group by group, with time in between for a crash."""
    from streams.runtime.table import OffsetTable

    publish = OffsetTable.publish

    async def slowly(table: OffsetTable, partition: int, *groups: dict[bytes, bytes]) -> None:
        for number, group in enumerate(filter(None, groups)):
            await asyncio.sleep(SLOWLY_S if number else 0)
            await publish(table, partition, group)

    patch(OffsetTable, "publish", slowly)


def record_order() -> None:
    """Event records are written before purchase records, with time in between for a crash."""
    from streams.runtime.table import OffsetTable

    slow_writes()
    slowly = OffsetTable.publish

    async def reversed_order(table: OffsetTable, partition: int, *groups: dict[bytes, bytes]) -> None:
        await slowly(table, partition, *reversed(groups))

    patch(OffsetTable, "publish", reversed_order)


def hold_limits() -> None:
    """Anybody holds what they like."""
    import tables.ledger.decisions

    patch(tables.ledger.decisions, "hold_refusal", lambda *_: None)


# By name: the processes that it is about, and how it is taken away from them.
MECHANISMS: Final[dict[str, tuple[str, Callable[[], None]]]] = {
    "index version": ("streams", index_version),
    "projection order": ("streams", projection_order),
    "mail memory": ("streams", mail_memory),
    "dead letters": ("streams", dead_letters),
    "outbox": ("api", outbox),
    "hidden drafts": ("api", hidden_drafts),
    "ownership": ("api", ownership),
    "idempotency key": ("api", keys),
    "ledger memory": ("streams", ledger_memory),
    "partition check": ("streams", partition_check),
    "hold limits": ("streams", hold_limits),
    "offset rule": ("streams", offset_rule),
    "record order": ("streams", record_order),
    "slow writes": ("streams", slow_writes),
}


def choose_loop() -> None:
    """Choose a worker's loop before anything of Faust is imported, as streams/__main__.py does."""
    from mode.loop import use

    use("uvloop")


def main() -> None:
    """Take away what is named, then run the module as it would run by itself."""
    module = sys.argv[1]
    named = [MECHANISMS[name] for name in os.environ["CHAOS_WITHOUT"].split(",")]
    if module == "streams":
        choose_loop()
    for part, take_away in named:
        if part == module:
            take_away()
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""Promise 9, what the ledger sells is what PostgreSQL says: the two definitions of one event, field by field."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from tables.messages.commands import DefineEvent, EventDefinition, TicketTypeDefinition, end_of_sale
from tables.messages.statuses import EventStatus

ABSENT: Final = "no such event"


class FieldDifference(NamedTuple):
    """A field with its value in PostgreSQL and in the ledger, as texts."""

    field: str
    postgres: str
    ledger: str

    def __str__(self) -> str:
        return f"{self.field}: PostgreSQL says {self.postgres}, the ledger {self.ledger}"


def field_differences(postgres: DefineEvent | None, ledger: DefineEvent | None) -> tuple[FieldDifference, ...]:
    """The fields in which the two differ; a side without the event is None.

    An event that only one side has counts while it sells: a draft may be unknown to the ledger, and an event that was
    deleted stays in the ledger as cancelled.
    """
    if postgres is None or ledger is None:
        word = _status(postgres), _status(ledger)
        return (FieldDifference("status", *word),) if EventStatus.ACTIVE in word else ()
    return tuple(_fields(postgres, ledger))


def _status(side: DefineEvent | None) -> str:
    return ABSENT if side is None else side.definition.status


def _fields(postgres: DefineEvent, ledger: DefineEvent) -> Iterator[FieldDifference]:
    if postgres.version != ledger.version:
        yield FieldDifference("version", str(postgres.version), str(ledger.version))
    yield from _differing(postgres.definition, ledger.definition)
    said, recorded = _types(postgres.definition), _types(ledger.definition)
    for key in sorted(said.keys() | recorded.keys()):
        name = f"ticket type {key}"
        if key not in recorded or key not in said:
            there = "is sold", "is not"
            yield FieldDifference(name, *(there if key in said else there[::-1]))
        else:
            yield from _differing(said[key], recorded[key], f"{name} ")


def _differing(
    one: EventDefinition | TicketTypeDefinition, other: EventDefinition | TicketTypeDefinition, prefix: str = ""
) -> Iterator[FieldDifference]:
    for field in msgspec.structs.fields(one):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        if ours != theirs and field.name != "ticket_types":
            yield FieldDifference(prefix + field.encode_name, _told(ours), _told(theirs))


def _types(definition: EventDefinition) -> dict[str, TicketTypeDefinition]:
    """The ticket types by id, each with the end of its sale, which a row may leave to the event."""
    ends = definition.ends_at
    return {
        str(each.id): msgspec.structs.replace(each, sale_ends_at=end_of_sale(each.sale_ends_at, ends))
        for each in definition.ticket_types
    }


def _told(value: Any) -> str:
    return "none" if value is None else str(value)

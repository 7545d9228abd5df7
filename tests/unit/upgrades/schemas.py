"""The compatible changes of messages and records: compares recorded schemas with today's."""

from collections.abc import Iterable
from typing import Any, Final

from msgspec import inspect

Fields = dict[str, bool]

# Recorded names of structs that are called otherwise today.
RENAMED: Final = {
    "Bought": "DecisionLine",
    "Definition": "EventDefinition",
    "Line": "TicketLine",
    "Money": "MoneyAmount",
    "Offer": "TicketOffer",
    "Purchase": "Buy",
    "Stock": "TicketsOut",
    "Taken": "StockSnapshot",
    "TicketType": "TicketTypeDefinition",
}


def schemas_of(types: Iterable[Any]) -> dict[str, Fields]:
    """Every struct in these types: its encoded field names in order, and whether each is optional."""
    return {name: _fields(struct) for name, struct in sorted(_structs(types).items())}


def broken(recorded: dict[str, Fields], today: dict[str, Fields], arrays: Iterable[str]) -> list[str]:
    """The incompatible changes: those with which one of the two versions could not read what the other writes."""
    positional = set(arrays)
    problems = []
    for name, fields in recorded.items():
        now = today.get(name)
        if now is None:
            problems.append(f"{name} is gone")
            continue
        problems += [f"{name}.{field} is gone" for field in fields if field not in now]
        problems += [
            f"{name}.{field} is new and has no default" for field in now if field not in fields and not now[field]
        ]
        problems += [
            f"{name}.{field} could be missing" for field in fields if fields[field] and not now.get(field, True)
        ]
        if name in positional and list(now)[: len(fields)] != list(fields):
            problems.append(f"{name}: a field of a positional record may only come last")
    return problems


def arrays_of(types: Iterable[Any]) -> set[str]:
    """The structs among them that are encoded as arrays."""
    return {name for name, struct in _structs(types).items() if struct.__struct_config__.array_like}


def _fields(struct: Any) -> Fields:
    info: Any = inspect.type_info(struct)
    return {field.encode_name: not field.required for field in info.fields}


def _structs(types: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in types:
        _collect(inspect.type_info(each), found)
    return found


def _collect(info: Any, found: dict[str, Any]) -> None:
    """Collect all structs in a type, by name."""
    if isinstance(info, inspect.StructType):
        name = info.cls.__qualname__
        if name in found:
            assert found[name] is info.cls, f"two structs are called {name}"
            return
        found[name] = info.cls
        for field in info.fields:
            _collect(field.type, found)
        return
    for name in ("types", "item_types", "item_type", "key_type", "value_type", "type"):
        inner = getattr(info, name, None)
        for each in inner if isinstance(inner, tuple) else (inner,):
            if isinstance(each, inspect.Type):
                _collect(each, found)

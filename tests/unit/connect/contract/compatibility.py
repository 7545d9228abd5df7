"""What of a schema may change from a release to the next (docs/contract.md), and what broke the rule.

Both schemas are walked together. ``writes`` says whose records it describes: those of others (INPUT), which must stay
valid, or ours (OUTPUT), which readers of the release must still understand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Schema = dict[str, Any]

LOWER_BOUNDS: Final = ("minimum", "minLength", "minItems")
UPPER_BOUNDS: Final = ("maximum", "maxLength", "maxItems")
FORMS: Final = ("type", "format", "pattern")
PREFIX: Final = "#/$defs/"
NULL: Final = "null"


@dataclass(frozen=True)
class Comparison:
    """The released document, today's, and whether others write what is compared."""

    released: Schema
    today: Schema
    is_input: bool

    def of(self, part: str) -> list[str]:
        """The changes of a part that break the rule, each with its place."""
        if part not in self.today["$defs"]:
            return [f"{part} is gone"]
        return list(self._node(part, self.released["$defs"][part], self.today["$defs"][part]))

    def _node(self, place: str, before: Schema, after: Schema) -> Iterator[str]:
        befores, afters = alternatives(self.released, before), alternatives(self.today, after)
        yield from (f"{place}: {name} is no longer possible" for name in befores if name not in afters)
        if NULL in afters and NULL not in befores and not self.is_input:
            yield f"{place} can be null now"
        for name, schema in befores.items():
            if name in afters:
                yield from self._one(f"{place}<{name}>" if name else place, schema, afters[name])

    def _one(self, place: str, before: Schema, after: Schema) -> Iterator[str]:
        yield from (
            f"{place}: {word} was {before.get(word)}, is {after.get(word)}"
            for word in FORMS
            if before.get(word) != after.get(word)
        )
        gone = [value for value in before.get("enum", ()) if value not in after.get("enum", ())]
        yield from (f"{place}: the value {value} is gone" for value in gone)
        yield from self._bounds(place, before, after)
        yield from self._fields(place, before, after)
        if before.get("items"):
            yield from self._node(f"{place}[]", before["items"], after.get("items", {}))
        for number, item in enumerate(before.get("prefixItems", ())):
            yield from self._node(f"{place}[{number}]", item, after["prefixItems"][number])

    def _bounds(self, place: str, before: Schema, after: Schema) -> Iterator[str]:
        """Of an input no bound may become narrower, of an output none wider."""
        for word in (*LOWER_BOUNDS, *UPPER_BOUNDS):
            unbounded = float("-inf" if word in LOWER_BOUNDS else "inf")
            was, now = before.get(word, unbounded), after.get(word, unbounded)
            is_narrower = now > was if word in LOWER_BOUNDS else now < was
            if now != was and is_narrower == self.is_input:
                yield f"{place}: {word} was {was}, is {now}"

    def _fields(self, place: str, before: Schema, after: Schema) -> Iterator[str]:
        fields, fields_now = before.get("properties", {}), after.get("properties", {})
        required, required_now = set(before.get("required", ())), set(after.get("required", ()))
        yield from (f"{place}.{name} is gone" for name in fields if name not in fields_now)
        yield from (f"{place}.{name} is required now" for name in sorted(required_now - required))
        if not self.is_input:
            yield from (f"{place}.{name} is optional now" for name in sorted(required & set(fields_now) - required_now))
        for name, field in fields.items():
            if name in fields_now:
                yield from self._node(f"{place}.{name}", field, fields_now[name])


def alternatives(document: Schema, node: Schema) -> dict[str, Schema]:
    """The alternatives of a schema by what tells them apart: null, the kind of a tagged struct; "" for the only one."""
    node = resolved(document, node)
    found: dict[str, Schema] = {}
    for each in node.get("anyOf", (node,)):
        schema = resolved(document, each)
        kinds = schema.get("properties", {}).get("kind", {}).get("enum", ())
        is_tagged = len(kinds) == 1
        found[kinds[0] if is_tagged else NULL if schema.get("type") == NULL else ""] = schema
    return found


def resolved(document: Schema, node: Schema) -> Schema:
    """The schema itself, where the node refers to it."""
    while "$ref" in node:
        node = document["$defs"][node["$ref"].removeprefix(PREFIX)]
    return node

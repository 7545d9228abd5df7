"""JSON Schemas as rows of a table: what a field holds, in words."""

from typing import Any, Final, NamedTuple

Schema = dict[str, Any]

FORMATS: Final[dict[str | None, str]] = {"uuid": "UUID", "date-time": "time"}
# The bounds of numbers, texts and lists.
BOUNDS: Final = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " entries"),
)


class FieldRow(NamedTuple):
    """A field: its type in words, and the named type in it, if any."""

    name: str
    type: str
    link: str
    is_required: bool
    note: str


def field_rows(schema: Schema) -> list[FieldRow]:
    """The fields of an object, in their order."""
    required = schema.get("required", ())
    return [
        FieldRow(name, type_words(field), type_link(field), name in required, _note(field))
        for name, field in schema.get("properties", {}).items()
    ]


def type_words(schema: Schema) -> str:
    """What a value is, such as ``list of TicketLine or null``."""
    if "anyOf" in schema:
        return " or ".join(type_words(each) for each in schema["anyOf"])
    if "$ref" in schema:
        return type_link(schema)
    if "enum" in schema:
        return " or ".join(f"“{value}”" for value in schema["enum"])
    if "prefixItems" in schema:
        return f"list of {', '.join(map(type_words, schema['prefixItems']))}"
    if schema.get("type") == "array":
        return f"list of {type_words(schema.get('items', {}))}"
    plain: str = schema.get("type", "anything")
    return FORMATS.get(schema.get("format"), plain)


def type_link(schema: Schema) -> str:
    """The name of the type that a schema refers to, directly or within; empty for none."""
    within = [*schema.get("anyOf", ()), *schema.get("prefixItems", ())]
    within += [schema["items"]] if schema.get("items") else []
    names: list[str] = [schema.get("$ref", "").rpartition("/")[2], *map(type_link, within)]
    return next((name for name in names if name), "")


def _note(schema: Schema) -> str:
    parts = [schema.get("description", ""), *_limits(schema)]
    for each in schema.get("anyOf", ()):
        parts += _limits(each)
    if schema.get("default") not in (None, [], {}, ""):
        parts.append(f"default {schema['default']}".lower())
    return "; ".join(filter(None, parts))


def _limits(schema: Schema) -> list[str]:
    found = [_bounds(schema.get(low), schema.get(high), unit) for low, high, unit in BOUNDS]
    return [*found, f"matches {schema['pattern']}" if "pattern" in schema else ""]


def _bounds(low: int | None, high: int | None, unit: str) -> str:
    if low is None:
        return "" if high is None else f"at most {high:,}{unit}"
    if high is None:
        return f"at least {low:,}{unit}"
    return f"{low:,}{unit}" if low == high else f"{low:,} to {high:,}{unit}"

"""JSON Schema 2020-12 of the topics, made from the types of their messages.

msgspec makes most of it. Refined here: patterns in the dialect of ECMA 262 as the standard asks, types of enumerations,
descriptions as Markdown. ``discriminator``, a word of OpenAPI, is left out: each kind has a property with one value.
"""

import inspect
from collections.abc import Iterable
from functools import cache
from itertools import chain
from types import UnionType
from typing import Any, Final, get_args

from msgspec.json import schema_components

from connect.contract.channels import CHANNELS, Channel

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
REFERENCE: Final = "#/$defs/{name}"
OPENAPI_KEYWORD: Final = "discriminator"
# msgspec's word for a string with a number; our types say it by a pattern.
OWN_FORMAT: Final = "decimal"


def schemas_of(types: Iterable[Any], reference: str) -> tuple[list[Schema], dict[str, Schema]]:
    """The schema of each type, and of the named types in them; ``reference`` is the address of these.

    A union may have one struct without a tag, which msgspec itself would not decode.
    """
    unions = [get_args(kind) if isinstance(kind, UnionType) else (kind,) for kind in types]
    found, shared = schema_components(chain(*unions), ref_template=reference)
    left = map(_refined, found)
    schemas = [[next(left) for _ in kinds] for kinds in unions]
    return [each[0] if len(each) == 1 else {"anyOf": each} for each in schemas], {
        name: _refined(each) for name, each in sorted(shared.items())
    }


@cache
def bundle() -> Schema:
    """All schemas in one document: ``$defs`` has TOPIC.key, TOPIC.value, TOPIC.headers and the types in them."""
    parts = {f"{channel.id}.{part}": kind for channel in CHANNELS for part, kind in parts_of(channel).items()}
    found, shared = schemas_of(parts.values(), REFERENCE)
    return {
        "$schema": DIALECT,
        "title": "Turnstile's topics",
        "$defs": dict(zip(parts, found, strict=True)) | shared,
    }


def parts_of(channel: Channel) -> dict[str, Any]:
    """The types of a topic's records by part."""
    parts = {"key": channel.key, "value": channel.value, "headers": channel.headers}
    return {part: kind for part, kind in parts.items() if part != "headers" or kind is not None}


def _refined(node: Any) -> Any:
    if isinstance(node, list | tuple):
        return [_refined(each) for each in node]
    if not isinstance(node, dict):
        return node
    refined = {name: _refined(each) for name, each in node.items() if name != OPENAPI_KEYWORD}
    if refined.get("format") == OWN_FORMAT:
        del refined["format"]
    if isinstance(pattern := refined.get("pattern"), str):
        refined["pattern"] = pattern.replace(r"\Z", "$")
    if isinstance(text := refined.get("description"), str):
        refined["description"] = inspect.cleandoc(text).replace("``", "`")
    if isinstance(refined.get("enum"), list):
        refined["type"] = "string"
    return refined

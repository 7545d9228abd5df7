"""Validates parts of records by the schemas of the contract, formats too."""

from functools import cache
from typing import Any

import jsonschema_rs

from connect.contract.schemas import bundle


@cache
def validator(part: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of a part such as ``ticket-commands.value``."""
    schema = bundle() | {"$ref": f"#/$defs/{part}"}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def errors(part: str, value: Any) -> list[str]:
    """What is wrong with it."""
    return [f"{error.instance_path}: {error.message}" for error in validator(part).iter_errors(value)]

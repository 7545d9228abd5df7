"""How many tickets of which type a form or an address asks for: its fields are ``n-`` and the type's id."""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import request

from api.problems import Refused
from api.web.responses import ports

FIELD_PREFIX: Final = "n-"
_KEY: Final = re.compile(r"[0-9a-f]{32}")


def chosen_quantities() -> dict[UUID, int]:
    """By ticket type. Refused: invalid-input for what is no number or no id."""
    try:
        return {UUID(name.removeprefix(FIELD_PREFIX)): _number(value) for name, value in quantity_fields().items()}
    except ValueError as error:
        raise Refused("invalid-input") from error


def chosen_lines() -> list[dict[str, object]]:
    """What is chosen, as the bodies of the API say it."""
    return [{"ticketTypeId": kind, "quantity": quantity} for kind, quantity in chosen_quantities().items()]


def quantity_fields() -> dict[str, str]:
    """The fields as they came; nothing and 0 are left out."""
    return {
        name: value
        for name, value in request.values.items()
        if name.startswith(FIELD_PREFIX) and value not in ("", "0")
    }


def order_key(given: Mapping[str, str]) -> str:
    """The key that makes a form's repeats safe: the one it had, where nobody knows what became of it, or a new one."""
    known = given.get("key", "")
    return known if _KEY.fullmatch(known) else ports().new_id().hex


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 4:
        raise ValueError(text)
    return int(text)

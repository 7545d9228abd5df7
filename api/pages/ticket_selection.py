"""The chosen quantities in a form or a URL: the fields are ``n-`` and the ticket type's id."""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import request

from api.ports.ports import ports
from api.problems import Refused

FIELD_PREFIX: Final = "n-"
# The idempotency key of confirming and of cancelling as a whole: a repeated click is the same request.
ONCE_KEY: Final = "page"
_KEY: Final = re.compile(r"[0-9a-f]{32}")


def chosen_quantities() -> dict[UUID, int]:
    """The quantities by ticket type. Refused: invalid-input for a malformed number or id."""
    try:
        return {UUID(name.removeprefix(FIELD_PREFIX)): _number(value) for name, value in quantity_fields().items()}
    except ValueError as error:
        raise Refused("invalid-input") from error


def chosen_lines() -> list[dict[str, object]]:
    """The quantities as the lines of an API body."""
    return [{"ticketTypeId": kind, "quantity": quantity} for kind, quantity in chosen_quantities().items()]


def quantity_fields() -> dict[str, str]:
    """The fields as they were sent; empty ones and 0 are left out."""
    return {
        name: value
        for name, value in request.values.items()
        if name.startswith(FIELD_PREFIX) and value not in ("", "0")
    }


def order_key(given: Mapping[str, str]) -> str:
    """The idempotency key of a form: the key in the URL if the last outcome is unknown, else a new one."""
    known = given.get("key", "")
    return known if _KEY.fullmatch(known) else ports().new_id().hex


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 4:
        raise ValueError(text)
    return int(text)

"""The records of ``operator-actions``: what an operator did to records and holds, and why."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from tables.messages.encoding import encode_json, json_decoder
from tables.messages.field_types import Time


class OperatorAction(Struct, frozen=True):
    """One action: time, user, command with its arguments in ``details``, and the operator's reason."""

    at: Time
    by: str
    action: str
    reason: str
    details: dict[str, Any] = {}


decode_action: Final = json_decoder(OperatorAction)
encode_action: Final[Callable[[OperatorAction], bytes]] = encode_json

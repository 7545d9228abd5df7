"""The answers on ``ticket-answers.<producer>``: exactly one for each request, the decision or why there is none.

An answer has the request's key, its partition number, its ``correlation-id``, and its place in the header ``request``.
Of a key it has the first KEY_MAX_BYTES: a request may be packed, and its answer must fit the topic.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET, Raw, Struct, UnsetType, defstruct
from msgspec.structs import fields, replace

from tables.errors import ForbiddenRequest, MalformedRecord
from tables.messages.encoding import encode_json, json_decoder
from tables.messages.field_types import Time
from tables.messages.outcomes import Outcome

# The header with the place of the request: ``topic[partition]@offset``.
REQUEST: Final = "request"
DETAIL_MAX_CHARACTERS: Final = 500
KEY_MAX_BYTES: Final = 1_024
_PATH: Final = re.compile(r"(.*) - at `\$\.?([^`]*)`", re.DOTALL)
_MISSING: Final = re.compile(r"required field `(\w+)`")


class AnswerStatus(StrEnum):
    """DECIDED: the ledger has decided. After any other the ledger knows nothing of the request."""

    DECIDED = "decided"
    MALFORMED = "malformed"
    FORBIDDEN = "forbidden"
    UNKNOWN_ACCOUNT = "unknown-account"
    UNKNOWN_EVENT = "unknown-event"
    THROTTLED = "throttled"


class Answer(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One answer. ``purchase`` is the id in the request; the outcome has the ledger's own id of the purchase.

    ``repeated``: the ledger had decided the request before, and this is that decision again. ``field`` is the path of
    a malformed one's wrong field. ``retry_at``: when a throttled request would be let through.
    """

    status: AnswerStatus
    purchase: UUID | None = None
    repeated: bool = False
    outcome: Outcome | None = None
    detail: str = ""
    field: str = ""
    retry_at: Time | None = None


decode_answer: Final = json_decoder(Answer)
encode_answer: Final[Callable[[Answer], bytes]] = encode_json

# The fields in which two outcomes of one decision may differ, and the body's fingerprint, as they are when left out.
_UNTOLD: Final[dict[str, Any]] = {"balance": (), "facts": None, "as_of": -1, "fingerprint": ""}
_READ: Final = ("kind", "event", "offset", "repeated")
# An outcome as answers tell it. Fields that the gate does not read stay the JSON that the ledger wrote.
_ToldOutcome: Final = defstruct(
    "_ToldOutcome",
    [
        (each.name, each.type, each.default) if each.name in _READ else (each.name, Raw | UnsetType, UNSET)
        for each in fields(Outcome)
        if each.name not in _UNTOLD
    ],
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
)
# Decodes a record of ``ticket-purchase`` for encode_decided. Raises MalformedRecord.
decode_told: Final[Callable[[bytes | None], Any]] = json_decoder(_ToldOutcome)


def decided(purchase: UUID | None, outcome: Outcome) -> Answer:
    """The answer with the ledger's decision: what two outcomes of one decision have in common."""
    return _decided(purchase, replace(outcome, **_UNTOLD))


def encode_decided(purchase: UUID | None, outcome: Any) -> bytes:
    """``encode_answer(decided(purchase, outcome))`` for an outcome of ``decode_told``, at a third of the cost."""
    return encode_answer(_decided(purchase, outcome))


def _decided(purchase: UUID | None, told: Any) -> Answer:
    return Answer(status=AnswerStatus.DECIDED, purchase=purchase, repeated=told.repeated, outcome=told)


def malformed(error: MalformedRecord) -> Answer:
    """The answer to a request that can't be decoded, or must not be written by a producer."""
    status = AnswerStatus.FORBIDDEN if isinstance(error, ForbiddenRequest) else AnswerStatus.MALFORMED
    found = _PATH.fullmatch(str(error))
    detail, path = found.groups() if found else (str(error), "")
    missing = _MISSING.search(detail)
    field = ".".join(filter(None, (path, missing[1] if missing else "")))
    return Answer(status=status, detail=detail[:DETAIL_MAX_CHARACTERS], field=field)

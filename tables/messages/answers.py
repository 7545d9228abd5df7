"""The answers on ``ticket-answers.<producer>``: exactly one for each request, the decision or why there is none.

An answer has the request's key, its partition number, its ``correlation-id``, and its place in the header ``request``.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from tables.errors import ForbiddenRequest, MalformedRecord
from tables.messages.decoding import encode_json, json_decoder
from tables.messages.field_types import Time
from tables.messages.outcomes import Outcome

# The header with the place of the request: ``topic[partition]@offset``.
REQUEST: Final = "request"
DETAIL_MAX_CHARACTERS: Final = 500
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


def decided(purchase: UUID | None, outcome: Outcome) -> Answer:
    """The answer with the ledger's decision: what two outcomes of one decision have in common."""
    outcome = replace(outcome, balance=(), facts=None, as_of=-1, fingerprint="")
    return Answer(status=AnswerStatus.DECIDED, purchase=purchase, repeated=outcome.repeated, outcome=outcome)


def malformed(error: MalformedRecord) -> Answer:
    """The answer to a request that can't be decoded, or must not be written by a producer."""
    status = AnswerStatus.FORBIDDEN if isinstance(error, ForbiddenRequest) else AnswerStatus.MALFORMED
    found = _PATH.fullmatch(str(error))
    detail, path = found.groups() if found else (str(error), "")
    missing = _MISSING.search(detail)
    field = ".".join(filter(None, (path, missing[1] if missing else "")))
    return Answer(status=status, detail=detail[:DETAIL_MAX_CHARACTERS], field=field)

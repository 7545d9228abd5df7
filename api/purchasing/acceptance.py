"""The long id of a purchase that was answered 202. It proves to every API process that the log has the command.

The ledger records every purchase of the log. So the purchase of a long id is pending as long as there is no record of
it. The id has the account, is signed with the keys of the tokens, and is valid as long as the log keeps the command.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from api.auth.tokens import Tokens
from api.schemas.purchase import public_id
from connect.topics import COMMANDS_KEPT_DAYS
from tables.ids import text_of
from tables.messages.commands import Buy, Hold

VALID_S: Final = COMMANDS_KEPT_DAYS * 24 * 3_600
_PURPOSE: Final = "accepted "


def accepted_id(tokens: Tokens, command: Buy | Hold, now: datetime) -> str:
    """The long id: ``{eventId}.{purchase}.{accountId}.{seconds since 1970}.{seal}``."""
    until = int(now.timestamp()) + VALID_S
    text = f"{public_id(command.event, command.purchase)}.{text_of(command.account)}.{until}"
    return f"{text}.{tokens.seal(_PURPOSE + text)}"


def accepted_account(tokens: Tokens, public: str, now: datetime) -> UUID | None:
    """The account of a long id's purchase; None for a plain id, and for a long one that is invalid or expired."""
    text, _, seal = public.rpartition(".")
    if not tokens.is_sealed(_PURPOSE + text, seal):
        return None
    *_, account, until = text.split(".")
    return UUID(account) if now.timestamp() < int(until) else None

"""Which accounts hold tickets, by the sales projection, and the end of holds by commands on the log.

The projection may be a moment behind. That does no harm: the ledger ends only what is still held.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from api.adapters.postgres.purchase_lines import LINES, QUANTITY
from connect.client_options import client_options
from connect.partitioning import home_of
from connect.records.appending import Appender
from connect.topics import COMMANDS
from ops import actions
from settings import Settings
from tables.ids import id_bytes
from tables.messages.commands import Expire, encode_command

_HOLDERS: Final = f"""
SELECT event_id AS event, account_id AS account, count(DISTINCT id) AS holds,
       sum({QUANTITY})::int AS tickets, max(deadline)::timestamptz(0)::text AS until
FROM purchase, {LINES}
WHERE status = 'held' AND (%(event)s::uuid IS NULL OR event_id = %(event)s)
GROUP BY 1, 2 ORDER BY tickets DESC, 1, 2 LIMIT %(most)s
"""  # noqa: S608 (put together from constants; values are parameters)
_HOLDS: Final = f"""
SELECT id AS purchase, account_id AS account, sum({QUANTITY})::int AS tickets
FROM purchase, {LINES}
WHERE status = 'held' AND event_id = %(event)s AND (%(account)s::uuid IS NULL OR account_id = %(account)s)
GROUP BY event_id, id ORDER BY made_at, id
"""  # noqa: S608 (put together from constants; values are parameters)


class HoldingAccount(NamedTuple):
    """What an account holds of an event; ``until`` is when its last hold ends."""

    event: UUID
    account: UUID
    holds: int
    tickets: int
    until: str


class Held(NamedTuple):
    """A purchase that is held."""

    purchase: UUID
    account: UUID
    tickets: int


def holders(now: Settings, event: UUID | None, most: int) -> list[HoldingAccount]:
    """The ``most`` accounts that hold the most tickets, of one event or of all. Raises psycopg.Error."""
    with _connect(now) as connection, connection.cursor(row_factory=class_row(HoldingAccount)) as cursor:
        return cursor.execute(_HOLDERS, {"event": event, "most": most}).fetchall()


def end(now: Settings, event: UUID, account: UUID | None, keep: int, reason: str) -> list[Held]:
    """End the holds of an event, of one account or of all; each account keeps its oldest holds up to ``keep`` tickets.

    Returns the ended holds once the log has the commands. Raises psycopg.Error, KafkaError.
    """
    with _connect(now) as connection, connection.cursor(row_factory=class_row(Held)) as cursor:
        held = cursor.execute(_HOLDS, {"event": event, "account": account}).fetchall()
    ended = beyond(held, keep)
    if ended:
        about = {"event": str(event), "account": str(account or "any"), "keep": keep, "holds": len(ended)}
        actions.record(client_options(now), "holds end", reason, **about)
        _append(now, event, ended)
    return ended


def beyond(held: Iterable[Held], keep: int) -> list[Held]:
    """The holds, given the oldest first, that go beyond ``keep`` tickets of their account."""
    kept: dict[UUID, int] = {}
    ended = []
    for each in held:
        tickets = kept.get(each.account, 0) + each.tickets
        if tickets > keep:
            ended.append(each)
        else:
            kept[each.account] = tickets
    return ended


def _append(now: Settings, event: UUID, ended: Sequence[Held]) -> None:
    key, home = id_bytes(event), home_of(event, now.partitions)
    with closing(Appender(client_options(now))) as appender:
        for each in ended:
            appender.append(COMMANDS, home, key, encode_command(Expire(event, each.purchase, early=True)), ())


def _connect(now: Settings) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(now.database_url.get_secret_value(), application_name="turnstile-holds")

"""``turnstile restored``: after a restore of PostgreSQL from a backup, bring the rest of the pipeline in step with it.

Events get versions above all that the ledger has seen, and are announced again; the sales projection is rebuilt from
what Kafka keeps; payments get their rows again; the connectors take new snapshots; the search index is rebuilt. It may
run any number of times.
"""

import asyncio
import logging
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import msgspec
import psycopg
from elastic_transport import TransportError
from elasticsearch import ApiError
from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, NoError
from psycopg.errors import CheckViolation

from connect.client_options import ClientOptions, client_options
from connect.connectors.rest_client import ConnectUnavailable
from connect.connectors.resync import resync
from connect.errors import ConnectError, ServerMissing
from connect.polling import Polling
from connect.provisioning import open_admin
from connect.records.consumer import make_consumer, read_to, read_topic
from connect.topics import ACCOUNT_ROWS, DELIVERIES, EVENT_ROWS, OUTCOMES, changelog, group
from connect.wal_position import epoch, segment
from settings import Settings, settings
from streams.payments.rows import UPSERT, payment_row
from streams.search.reindex import reindex
from tables.errors import TurnstileError
from tables.messages.encoding import encode_json
from tables.payments.records import decode_payment, purchase_of_key
from telemetry.logs import configure_logging

log = logging.getLogger("ops.restored")

ROLE: Final = "sales"
# A worker that has just ended is a member of its group until its session expires.
EMPTY_GROUP_TIMEOUT_S: Final = 15
TAIL_RECORDS: Final = 50
WRITE_MAX_ROWS: Final = 500

RAISE: Final = """
WITH raised AS (UPDATE event SET version = version + %(epoch)s, revision = -1 RETURNING id, version)
INSERT INTO event_outbox (id, aggregate_id, event_type, version, payload)
SELECT gen_random_uuid(), raised.id, 'event-defined', raised.version,
       jsonb_set(newest.payload, '{version}', to_jsonb(raised.version))
FROM raised CROSS JOIN LATERAL (
    SELECT payload FROM event_outbox WHERE aggregate_id = raised.id AND part = 0 ORDER BY version DESC LIMIT 1
) AS newest
"""
FORGET: Final = """
DELETE FROM event_outbox USING event
WHERE event_outbox.aggregate_id = event.id AND event_outbox.version < event.version AND part = 0
"""
# A trigger sets the revision to the log's position, which is above all that consumers know (check_positions), and not
# above that of the row's next change, as it may be in a backup of another server.
RENEW_REVISIONS: Final = "UPDATE account SET revision = -1"
SPOILED: Final = """
SELECT DISTINCT aggregate_id::text FROM event_outbox WHERE jsonb_typeof(payload) <> 'object' ORDER BY 1 LIMIT 20
"""
POSITION: Final = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"


class NotReady(Exception):
    """Something has to be done first; the message names it."""


class _Change(msgspec.Struct):
    lsn: int = msgspec.field(name="__lsn")
    revision: int = 0


_decode = msgspec.json.Decoder(_Change).decode


def check_positions(connection: psycopg.Connection[Any], kafka: ClientOptions) -> None:
    """Raise NotReady if PostgreSQL's log is not beyond every position and revision that was captured.

    Only then its position can be the revision of every row.
    """
    row = connection.execute(POSITION).fetchone()
    newest = newest_position(kafka)
    if row is not None and row[0] <= newest:
        command = f"pg_resetwal -l {segment(datetime.now(UTC))}"
        raise NotReady(f"PostgreSQL's log is at {row[0]}, changes up to {newest} are known: stop it, run `{command}`")


def newest_position(kafka: ClientOptions) -> int:
    """The highest position or revision among the last changes of events and accounts; 0 without any."""
    with closing(make_consumer(kafka)) as consumer:
        places = [
            TopicPartition(topic, number)
            for topic in (EVENT_ROWS, ACCOUNT_ROWS)
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        ends = {place: end for place, end in consumer.end_offsets(places).items() if end}
        consumer.assign(list(ends))
        for place, end in ends.items():
            consumer.seek(place, max(0, end - TAIL_RECORDS))
        newest = 0
        for records in read_to(consumer, ends):
            newest = max([newest, *(position_of(record.value) for record in records)])
        return newest


def position_of(value: bytes | None) -> int:
    """The position of a change in PostgreSQL's log, or its row's revision if that is higher, as after a restore.

    0 for an unreadable record, which is a dead letter.
    """
    try:
        change = _decode(value or b"")
        return max(change.lsn, change.revision)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


def raise_versions(connection: psycopg.Connection[Any]) -> int:
    """Give every event a version that the ledger has not seen, and announce it; the number of events.

    Every row that is captured gets the log's position as its revision, which no consumer has seen.

    Raises NotReady, and changes nothing, if a row violates a constraint that is younger than the row.
    """
    if spoiled := [key for (key,) in connection.execute(SPOILED)]:
        raise NotReady(f"the announcements of these events are not objects, repair them by SQL: {', '.join(spoiled)}")
    try:
        with connection.transaction():
            count = connection.execute(RAISE, {"epoch": epoch(datetime.now(UTC))}).rowcount
            connection.execute(FORGET)
            connection.execute(RENEW_REVISIONS)
    except CheckViolation as error:
        what = f"rows of {error.diag.table_name} break {error.diag.constraint_name}"
        raise NotReady(f"{what}: mend them by SQL, then VALIDATE it and run this again") from error
    return count


def restore_payments(connection: psycopg.Connection[Any], kafka: ClientOptions) -> int:
    """Write the rows of ``payment`` that are missing or older than their payments; how many.

    One that PostgreSQL rejects is named in the log and left out: the role ``payments`` made a dead letter of it.
    """
    count = 0
    records = (record for record in read_topic(kafka, changelog("payments")) if record.value is not None)
    while newest := {record.key: record.value for record in islice(records, WRITE_MAX_ROWS)}:
        count += _write([payment_row(purchase_of_key(key), decode_payment(newest[key])) for key in newest], connection)
    return count


def _write(rows: list[dict[str, Any]], connection: psycopg.Connection[Any]) -> int:
    try:
        return connection.execute(UPSERT, [encode_json(rows).decode()]).rowcount
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(rows) > 1:
            return sum(_write([row], connection) for row in rows)
        log.error("the payment of %s has no row: %s", rows[0]["purchase_id"], type(error).__name__)  # noqa: TRY400
        return 0


def rewind_sales(now: Settings, timeout_s: float = EMPTY_GROUP_TIMEOUT_S) -> None:
    """Reset the sales workers to the oldest outcome that Kafka has. Raises NotReady if one still runs."""
    places = [TopicPartition(topic, number) for topic in (OUTCOMES, DELIVERIES) for number in range(now.partitions)]
    with closing(open_admin(now)) as admin:
        polling = Polling(timeout_s)
        while not _reset(admin, places):
            if not polling.left:
                raise NotReady(f"stop the workers of the role {ROLE} first: they hold on to where they are")
            polling.wait()


def _reset(admin: Any, places: list[TopicPartition]) -> bool:
    answers = admin.reset_group_offsets(group(ROLE), dict.fromkeys(places, OffsetSpec.EARLIEST))
    return all(answer["error"] is NoError for answer in answers.values())


def restored(now: Settings) -> None:
    """Carry out all steps in order."""
    url = now.database_url.get_secret_value()
    with psycopg.connect(url, autocommit=True) as connection:
        check_positions(connection, client_options(now))
        rewind_sales(now)
        log.info("the sales projection starts again with the oldest outcome that is kept")
        log.info("%d events have new versions and are announced", raise_versions(connection))
        log.info("%d rows of payments are written", restore_payments(connection, client_options(now)))
    log.info("new snapshots: %s", ", ".join(resync(now)) or "none was needed")
    done = asyncio.run(reindex(now, lambda line: log.info("reindex: %s", line)))
    log.info("done: %d events are found again", done.rows - len(done.left_out))


def main() -> int:
    """Log a line per step, and one that names the problem: exit code 1, or 2 if it is that a server doesn't answer."""
    now = settings()
    configure_logging(now.log_level, now.log_format, "restored")
    try:
        restored(now)
    except (NotReady, ConnectError, ConnectUnavailable, TurnstileError) as error:
        log.critical("%s", str(error))
        return 2 if isinstance(error, (ConnectUnavailable, ServerMissing)) else 1
    except (KafkaError, psycopg.Error, TransportError, ApiError) as error:
        log.critical("%r", error)
        return 2
    return 0

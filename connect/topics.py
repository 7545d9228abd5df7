"""The topic catalogue: every topic's name, partitions and configuration, in one place."""

from dataclasses import dataclass, field
from typing import Final

EVENT_ROWS: Final = "event_ticket_db.public.event"
ACCOUNT_ROWS: Final = "event_ticket_db.public.account"
EVENT_STATUS: Final = "outbox.event.event_status"
COMMANDS: Final = "ticket-commands"
OUTCOMES: Final = "ticket-purchase"
JOBS: Final = "notification-jobs"
RETRIES: Final = "notification-retries"
RESENDS: Final = "notification-requests"
DELIVERIES: Final = "notification-log"
HEARTBEAT: Final = "__debezium-heartbeat.event_ticket_db"
HEARTBEAT_ROWS: Final = "event_ticket_db.public.heartbeat"
OPERATOR_ACTIONS: Final = "operator-actions"
APP: Final = "turnstile"
# How the metadata of a committed offset begin where an operator has set it (ops/skipping.py).
ACCEPTED: Final = "accepted: "
VERSION: Final = 1

TABLES: Final = ("ledger", "contacts", "bookings")

# The largest batch that a topic takes (``max.message.bytes``), Kafka's own default; a record alone is a batch, too.
# What a value may have at most is said where it is read (tables/messages/decoding.py, tables/messages/commands.py).
RECORD_MAX_BYTES: Final = 1_048_588
# A dead letter is its record and some headers more; what doesn't fit is cut (streams/runtime/fitting.py).
LETTER_MAX_BYTES: Final = 2 * 1024 * 1024

DAY_MS: Final = 24 * 3600 * 1000
# A broker forgets a group's offsets 7 days after its last worker has gone (offsets.retention.minutes). Whatever the
# group has not read by then must still be there when it comes back.
COMMANDS_KEPT_DAYS: Final = 14
ACTIONS_KEPT_DAYS: Final = 400


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it has to be. ``partitions`` None means the setting ``TURNSTILE_PARTITIONS``."""

    name: str
    config: dict[str, str] = field(default_factory=dict)
    partitions: int | None = None


def inputs() -> dict[str, str]:
    """The topic that each consumer with dead letters reads."""
    return {
        "ledger": COMMANDS,
        "catalogue": EVENT_STATUS,
        "indexer": EVENT_ROWS,
        "contacts": ACCOUNT_ROWS,
        "notifications": OUTCOMES,
        "resends": RESENDS,
        "mailer": JOBS,
        "retries": RETRIES,
        "deliveries": DELIVERIES,
        "sales": OUTCOMES,
    }


CONSUMERS: Final = tuple(inputs())


def dead_letters(consumer: str) -> str:
    """The topic that takes the records which ``consumer`` can't read."""
    return f"dlq.{consumer}"


def changelog(table: str) -> str:
    """The changelog topic of a worker's table."""
    app = APP if VERSION == 1 else f"{APP}-v{VERSION}"
    return f"{app}-{table}-changelog"


def group(role: str) -> str:
    """The application and consumer group of the workers of a role."""
    return f"{APP}-{role}"


def _kept(days: int, **config: str) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)} | config


_COMPACT: Final = {"cleanup.policy": "compact"}
# What a paused worker wrote late is written over before this is over (streams/runtime/table.py).
_CHANGELOG: Final = _COMPACT | {"min.compaction.lag.ms": str(DAY_MS)}
# What is erased must not stay in a segment that is still being written to.
_FORGETTING: Final = _COMPACT | {"max.compaction.lag.ms": str(DAY_MS)}


def catalogue() -> list[Topic]:
    """All topics, in the order in which they are made."""
    return [
        Topic(EVENT_ROWS, _COMPACT),
        Topic(ACCOUNT_ROWS, _FORGETTING),
        Topic(EVENT_STATUS, _kept(7)),
        Topic(COMMANDS, _kept(COMMANDS_KEPT_DAYS, **{"message.timestamp.type": "LogAppendTime"})),
        Topic(OUTCOMES, _kept(7)),
        Topic(JOBS, _kept(7)),
        Topic(RETRIES, _kept(7)),
        Topic(RESENDS, _kept(7)),
        Topic(DELIVERIES, _kept(7)),
        Topic(HEARTBEAT, _kept(1), partitions=1),
        Topic(HEARTBEAT_ROWS, _kept(1), partitions=1),
        Topic(OPERATOR_ACTIONS, _kept(ACTIONS_KEPT_DAYS), partitions=1),
        *(Topic(dead_letters(name), _kept(30, **{"max.message.bytes": str(LETTER_MAX_BYTES)})) for name in CONSUMERS),
        *(Topic(changelog(table), _FORGETTING if table == "contacts" else _CHANGELOG) for table in TABLES),
    ]

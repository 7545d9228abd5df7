"""Every topic: its name, partitions and configuration."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

EVENT_ROWS: Final = "event_ticket_db.public.event"
ACCOUNT_ROWS: Final = "event_ticket_db.public.account"
EVENT_STATUS: Final = "outbox.event.event_status"
COMMANDS: Final = "ticket-commands"
OUTCOMES: Final = "ticket-purchase"
PURCHASE_UPSERTS: Final = "ticket-purchases"
JOBS: Final = "notification-jobs"
RETRIES: Final = "notification-retries"
RESENDS: Final = "notification-requests"
DELIVERIES: Final = "notification-log"
PAYMENT_EVENTS: Final = "payment-events"
PAYMENT_REQUESTS: Final = "payment-requests"
HEARTBEAT: Final = "__debezium-heartbeat.event_ticket_db"
HEARTBEAT_ROWS: Final = "event_ticket_db.public.heartbeat"
OPERATOR_ACTIONS: Final = "operator-actions"
# Each producer has topics of its own, since Kafka controls access by topic.
REQUESTS_PREFIX: Final = "ticket-requests."
ANSWERS_PREFIX: Final = "ticket-answers."
# Of the setting ``producers``; docs/kafka.md.
DEFAULT_PRODUCERS: Final = ("partner", "kiosk")
APP: Final = "turnstile"
# The metadata of a committed offset begin with it if an operator has set the offset (ops/skipping.py).
ACCEPTED_PREFIX: Final = "accepted: "
VERSION: Final = 1

TABLES: Final = ("ledger", "contacts", "bookings", "gate", "payments")

# The largest batch that a topic accepts (``max.message.bytes``), Kafka's default. Values have limits of their own
# (tables/messages/encoding.py, tables/messages/commands.py).
RECORD_MAX_BYTES: Final = 1_048_588
# A dead letter is a record with further headers; what doesn't fit is cut (streams/runtime/fitting.py).
DEAD_LETTER_MAX_BYTES: Final = 2 * 1024 * 1024

DAY_MS: Final = 24 * 3600 * 1000
# A broker deletes a group's offsets 7 days after its last member has left (offsets.retention.minutes). The group must
# still find its unread commands when it returns.
COMMANDS_KEPT_DAYS: Final = 14
ACTIONS_KEPT_DAYS: Final = 400
# As the commands: nothing that a provider said may be gone before it is read.
PAYMENTS_KEPT_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Topic:
    """The definition of a topic. ``partitions`` None means the setting ``TURNSTILE_PARTITIONS``."""

    name: str
    config: dict[str, str] = field(default_factory=dict)
    partitions: int | None = None

    def made_with(self, partitions: int) -> int:
        """The number of partitions that it is made with, by the setting."""
        return self.partitions or partitions


# By role its consumers that write dead letters, each with its input topic; of the gate's requests a prefix of them.
ROLE_CONSUMERS: Final[dict[str, dict[str, str]]] = {
    "ledger": {"ledger": COMMANDS, "catalogue": EVENT_STATUS},
    "indexer": {"indexer": EVENT_ROWS},
    "notifications": {
        "contacts": ACCOUNT_ROWS,
        "notifications": OUTCOMES,
        "resends": RESENDS,
        "mailer": JOBS,
        "retries": RETRIES,
    },
    "sales": {"deliveries": DELIVERIES, "sales": OUTCOMES},
    "gate": {"gate": REQUESTS_PREFIX, "answers": OUTCOMES},
    "payments": {"payment-outcomes": OUTCOMES, "payments": PAYMENT_EVENTS, "payment-requests": PAYMENT_REQUESTS},
}
CONSUMER_INPUTS: Final = {name: topic for consumers in ROLE_CONSUMERS.values() for name, topic in consumers.items()}
CONSUMERS: Final = tuple(CONSUMER_INPUTS)


def topics_of(role: str, producers: Iterable[str] = DEFAULT_PRODUCERS) -> tuple[str, ...]:
    """The topics that the agents of a role read."""
    found: list[str] = []
    for topic in ROLE_CONSUMERS[role].values():
        found += map(requests, producers) if topic == REQUESTS_PREFIX else [topic]
    return tuple(found)


def dead_letters(consumer: str) -> str:
    """The topic of the dead letters of ``consumer``."""
    return f"dlq.{consumer}"


def is_input(consumer: str, topic: str) -> bool:
    """Whether ``consumer`` reads ``topic``."""
    found = CONSUMER_INPUTS[consumer]
    return topic.startswith(found) if found == REQUESTS_PREFIX else topic == found


def requests(producer: str) -> str:
    """The topic that a producer writes its requests to."""
    return f"{REQUESTS_PREFIX}{producer}"


def answers(producer: str) -> str:
    """The topic with the answers to a producer's requests."""
    return f"{ANSWERS_PREFIX}{producer}"


def changelog(table: str) -> str:
    """The changelog topic of a worker's table."""
    app = APP if VERSION == 1 else f"{APP}-v{VERSION}"
    return f"{app}-{table}-changelog"


def group(role: str) -> str:
    """The application and consumer group of the workers of a role."""
    return f"{APP}-{role}"


def _retained(days: int, **config: str) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)} | config


# No producer sets the time of a command, or of a request that counts for its quota.
_LOG_APPEND_TIME: Final = {"message.timestamp.type": "LogAppendTime"}
_COMPACTED_CONFIG: Final = {"cleanup.policy": "compact"}
# Late writes of a paused worker are repaired before compaction can remove the newer records (streams/runtime/table.py).
_CHANGELOG_CONFIG: Final = _COMPACTED_CONFIG | {"min.compaction.lag.ms": str(DAY_MS)}
# Erased data must not remain in the active segment for longer.
_ERASABLE_CONFIG: Final = _COMPACTED_CONFIG | {"max.compaction.lag.ms": str(DAY_MS)}


def all_topics(producers: Iterable[str] = DEFAULT_PRODUCERS) -> list[Topic]:
    """All topics, in the order in which they are created."""
    names = list(producers)
    return [
        Topic(EVENT_ROWS, _COMPACTED_CONFIG),
        Topic(ACCOUNT_ROWS, _ERASABLE_CONFIG),
        Topic(EVENT_STATUS, _retained(7)),
        Topic(COMMANDS, _retained(COMMANDS_KEPT_DAYS, **_LOG_APPEND_TIME)),
        Topic(OUTCOMES, _retained(7)),
        Topic(PURCHASE_UPSERTS, _COMPACTED_CONFIG),
        Topic(JOBS, _retained(7)),
        Topic(RETRIES, _retained(7)),
        Topic(RESENDS, _retained(7)),
        Topic(DELIVERIES, _retained(7)),
        Topic(PAYMENT_EVENTS, _retained(PAYMENTS_KEPT_DAYS)),
        Topic(PAYMENT_REQUESTS, _retained(7)),
        Topic(HEARTBEAT, _retained(1), partitions=1),
        Topic(HEARTBEAT_ROWS, _retained(1), partitions=1),
        Topic(OPERATOR_ACTIONS, _retained(ACTIONS_KEPT_DAYS), partitions=1),
        *(Topic(requests(name), _retained(7, **_LOG_APPEND_TIME)) for name in names),
        *(Topic(answers(name), _retained(7)) for name in names),
        *(
            Topic(dead_letters(name), _retained(30, **{"max.message.bytes": str(DEAD_LETTER_MAX_BYTES)}))
            for name in CONSUMERS
        ),
        *(Topic(changelog(table), _ERASABLE_CONFIG if table == "contacts" else _CHANGELOG_CONFIG) for table in TABLES),
    ]


# Of these records are removed by key, so that offsets may be missing.
COMPACTED_TOPICS: Final = frozenset(topic.name for topic in all_topics() if topic.config["cleanup.policy"] == "compact")

# One of them with the number of the setting proves it: nobody can lower the number of an existing topic.
_PROOF: Final = (COMMANDS, changelog("ledger"))
# Other writers choose the partition by the key. These readers have no table, so they read all that there are.
READ_WHOLE: Final = frozenset({EVENT_ROWS, EVENT_STATUS})


def has_right_number(topic: Topic, counts: Mapping[str, int], partitions: int) -> bool:
    """Whether Turnstile works with a topic's number of partitions, which anybody may raise: ``counts`` by topic.

    Our writers choose among the first ``partitions`` of ours. More of them stay empty, but where others write by key.
    """
    has, should = counts[topic.name], topic.made_with(partitions)
    if has <= should:
        return has == should
    if topic.name in _PROOF:
        return any(counts.get(name) == partitions for name in _PROOF)
    return topic.name not in (ACCOUNT_ROWS, HEARTBEAT_ROWS) and not topic.name.startswith(REQUESTS_PREFIX)

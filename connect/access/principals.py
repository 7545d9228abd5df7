"""Who may do what in Kafka: a principal for each part, with the rights that its code uses and no others.

A further role or producer is a line in ``principals()``. No part uses a transactional id, so nobody has a right to one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from connect import topics
from settings.workers import ROLES, Role

# The brokers' super user, which makes users, ACLs and topics. It is in their configuration and not in this table.
ADMIN: Final = "admin"
CONNECT: Final = "connect"
OPERATOR: Final = "operator"
READER: Final = "reader"
CONNECT_GROUP: Final = "turnstile-connect"
CONNECT_TOPICS: Final = ("connect-config", "connect-offset", "connect-status")
ROLE_GROUPS: Final = tuple(topics.group(role) for role in ROLES)
DEAD_LETTERS: Final = tuple(topics.dead_letters(consumer) for consumer in topics.CONSUMERS)


@dataclass(frozen=True, slots=True)
class Principal:
    """A user of Kafka and its rights, each a list of topics or groups. ``name*`` stands for all that begin so.

    ``groups`` are those that it joins or commits offsets for, ``watches`` those whose state it reads. Only with
    ``all_names`` it sees the names, partitions and offsets of topics that it may neither read nor write.
    """

    name: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    reads_configuration: tuple[str, ...] = ()
    all_names: bool = True
    # The sizes of the logs on the brokers' disks.
    reads_log_sizes: bool = False


def principals(producers: Iterable[str] = topics.DEFAULT_PRODUCERS) -> list[Principal]:
    """All principals but the brokers' super user; ``producers`` are the other producers of the settings."""
    names = list(producers)
    read, inputs = {role: topics.topics_of(role, names) for role in ROLES}, all_inputs(names)
    return [
        _worker("ledger", read["ledger"], (topics.COMMANDS, topics.OUTCOMES), tables=("ledger",)),
        _worker("indexer", read["indexer"]),
        _worker(
            "notifications",
            read["notifications"],
            (topics.JOBS, topics.RETRIES, topics.DELIVERIES),
            tables=("contacts", "bookings"),
        ),
        _worker("sales", read["sales"], (topics.PURCHASE_UPSERTS,)),
        _worker(
            "gate",
            (*read["gate"], topics.ACCOUNT_ROWS),
            (topics.COMMANDS, *map(topics.answers, names)),
            tables=("gate",),
        ),
        _worker(
            "payments",
            read["payments"],
            (topics.COMMANDS, topics.PAYMENT_EVENTS, topics.PAYMENT_REQUESTS, topics.RESENDS),
            tables=("payments",),
        ),
        Principal(
            "api",
            # The board reads how long the ledger's oldest record has waited (connect/observe/definition_delay.py).
            (topics.OUTCOMES, *read["ledger"], topics.HEARTBEAT_ROWS, *DEAD_LETTERS),
            (topics.COMMANDS, topics.PAYMENT_EVENTS, topics.RESENDS),
            watches=ROLE_GROUPS,
        ),
        Principal(
            "exporter", (*inputs, topics.HEARTBEAT_ROWS, *DEAD_LETTERS), watches=ROLE_GROUPS, reads_configuration=inputs
        ),
        Principal(
            OPERATOR,
            (
                *inputs,
                topics.HEARTBEAT_ROWS,
                topics.OPERATOR_ACTIONS,
                topics.changelog("ledger"),
                topics.changelog("payments"),
                *DEAD_LETTERS,
            ),
            # The ledger is restored from a snapshot by writing its changelog.
            (*inputs, topics.OPERATOR_ACTIONS, topics.changelog("ledger"), *DEAD_LETTERS),
            groups=(topics.group("ledger"), topics.group("sales"), topics.group("notifications")),
            watches=ROLE_GROUPS,
            reads_log_sizes=True,
        ),
        Principal(
            CONNECT,
            CONNECT_TOPICS,
            (
                topics.EVENT_ROWS,
                topics.ACCOUNT_ROWS,
                topics.EVENT_STATUS,
                topics.HEARTBEAT,
                topics.HEARTBEAT_ROWS,
                *CONNECT_TOPICS,
            ),
            groups=(CONNECT_GROUP,),
            creates=CONNECT_TOPICS,
            reads_configuration=CONNECT_TOPICS,
        ),
        # For any consumer of what the ledger decides: those of one deployment are in groups of their own.
        Principal(READER, (topics.OUTCOMES, topics.PURCHASE_UPSERTS), groups=(f"{READER}*",), all_names=False),
        *(_producer(name) for name in names),
    ]


def all_inputs(producers: Iterable[str] = topics.DEFAULT_PRODUCERS) -> tuple[str, ...]:
    """The topics that a role reads."""
    names = tuple(producers)
    return tuple(sorted({topic for role in ROLES for topic in topics.topics_of(role, names)}))


def _producer(name: str) -> Principal:
    """Another producer: it writes its requests and reads the answers to them."""
    user = f"producer-{name}"
    return Principal(user, (topics.answers(name),), (topics.requests(name),), groups=(user,), all_names=False)


def _worker(
    role: Role, reads: tuple[str, ...], writes: tuple[str, ...] = (), *, tables: tuple[str, ...] = ()
) -> Principal:
    """The workers of a role: besides ``reads`` and ``writes`` they write dead letters, and use the logs of tables."""
    logs = tuple(topics.changelog(table) for table in tables)
    letters = tuple(topics.dead_letters(consumer) for consumer in topics.ROLE_CONSUMERS[role])
    return Principal(role, (*reads, *logs), (*writes, *letters, *logs), groups=(topics.group(role),))

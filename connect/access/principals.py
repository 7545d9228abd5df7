"""Who may do what in Kafka: a principal for each part, with the rights that its code uses and no others.

A further role or producer is a line in ``principals()``. No part uses a transactional id, so nobody has a right to one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from connect.topics import (
    ACCOUNT_ROWS,
    COMMANDS,
    CONSUMERS,
    DEFAULT_PRODUCERS,
    DELIVERIES,
    EVENT_ROWS,
    EVENT_STATUS,
    HEARTBEAT,
    HEARTBEAT_ROWS,
    JOBS,
    OPERATOR_ACTIONS,
    OUTCOMES,
    PAYMENT_EVENTS,
    PAYMENT_REQUESTS,
    PURCHASE_UPSERTS,
    RESENDS,
    RETRIES,
    ROLE_CONSUMERS,
    answers,
    changelog,
    dead_letters,
    group,
    requests,
    topics_of,
)
from settings.workers import ROLES, Role

# The brokers' super user, which makes users, ACLs and topics. It is in their configuration and not in this table.
ADMIN: Final = "admin"
CONNECT: Final = "connect"
OPERATOR: Final = "operator"
READER: Final = "reader"
CONNECT_GROUP: Final = "turnstile-connect"
CONNECT_TOPICS: Final = ("connect-config", "connect-offset", "connect-status")
ROLE_GROUPS: Final = tuple(group(role) for role in ROLES)
DEAD_LETTERS: Final = tuple(dead_letters(consumer) for consumer in CONSUMERS)


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


def principals(producers: Iterable[str] = DEFAULT_PRODUCERS) -> list[Principal]:
    """All principals but the brokers' super user; ``producers`` are the other producers of the settings."""
    names = list(producers)
    read, inputs = {role: topics_of(role, names) for role in ROLES}, all_inputs(names)
    return [
        _worker("ledger", read["ledger"], (COMMANDS, OUTCOMES), tables=("ledger",)),
        _worker("indexer", read["indexer"]),
        _worker("notifications", read["notifications"], (JOBS, RETRIES, DELIVERIES), tables=("contacts", "bookings")),
        _worker("sales", read["sales"], (PURCHASE_UPSERTS,)),
        _worker("gate", (*read["gate"], ACCOUNT_ROWS), (COMMANDS, *map(answers, names)), tables=("gate",)),
        _worker(
            "payments",
            read["payments"],
            (COMMANDS, PAYMENT_EVENTS, PAYMENT_REQUESTS, RESENDS),
            tables=("payments",),
        ),
        Principal(
            "api",
            # The board reads how long the ledger's oldest record has waited (connect/observe/definition_delay.py).
            (OUTCOMES, *read["ledger"], HEARTBEAT_ROWS, *DEAD_LETTERS),
            (COMMANDS, PAYMENT_EVENTS, RESENDS),
            watches=ROLE_GROUPS,
        ),
        Principal(
            "exporter", (*inputs, HEARTBEAT_ROWS, *DEAD_LETTERS), watches=ROLE_GROUPS, reads_configuration=inputs
        ),
        Principal(
            OPERATOR,
            (*inputs, HEARTBEAT_ROWS, OPERATOR_ACTIONS, changelog("ledger"), *DEAD_LETTERS),
            # The ledger is restored from a snapshot by writing its changelog.
            (*inputs, OPERATOR_ACTIONS, changelog("ledger"), *DEAD_LETTERS),
            groups=(group("ledger"), group("sales"), group("notifications")),
            watches=ROLE_GROUPS,
            reads_log_sizes=True,
        ),
        Principal(
            CONNECT,
            CONNECT_TOPICS,
            (EVENT_ROWS, ACCOUNT_ROWS, EVENT_STATUS, HEARTBEAT, HEARTBEAT_ROWS, *CONNECT_TOPICS),
            groups=(CONNECT_GROUP,),
            creates=CONNECT_TOPICS,
            reads_configuration=CONNECT_TOPICS,
        ),
        # For any consumer of what the ledger decides: those of one deployment are in groups of their own.
        Principal(READER, (OUTCOMES, PURCHASE_UPSERTS), groups=(f"{READER}*",), all_names=False),
        *(_producer(name) for name in names),
    ]


def all_inputs(producers: Iterable[str] = DEFAULT_PRODUCERS) -> tuple[str, ...]:
    """The topics that a role reads."""
    names = tuple(producers)
    return tuple(sorted({topic for role in ROLES for topic in topics_of(role, names)}))


def _producer(name: str) -> Principal:
    """Another producer: it writes its requests and reads the answers to them."""
    user = f"producer-{name}"
    return Principal(user, (answers(name),), (requests(name),), groups=(user,), all_names=False)


def _worker(
    role: Role, reads: tuple[str, ...], writes: tuple[str, ...] = (), *, tables: tuple[str, ...] = ()
) -> Principal:
    """The workers of a role: besides ``reads`` and ``writes`` they write dead letters, and use the logs of tables."""
    logs = tuple(changelog(table) for table in tables)
    letters = tuple(dead_letters(consumer) for consumer in ROLE_CONSUMERS[role])
    return Principal(role, (*reads, *logs), (*writes, *letters, *logs), groups=(group(role),))

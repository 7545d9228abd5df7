"""The state of the servers, and of the dead letters in Kafka."""

import asyncio
import socket
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import Final

import psycopg
from kafka.errors import KafkaError

from connect.client_options import client_options
from connect.connectors.configuration import connectors
from connect.connectors.rest_client import MISSING_CONNECTOR, ConnectClient, ConnectorState
from connect.observe.dead_letters import DeadLetterTopics
from connect.observe.heartbeat import CaptureWatch, lateness
from connect.observe.slots import read_slots
from connect.topics import CONSUMERS
from ops.part_status import TIMEOUT_S, PartState, PartStatus, size
from ops.topics import missing_topics, read_topics, widened_topics
from settings import Settings
from streams.search.index import make_elasticsearch
from streams.search.mapping import ALIAS

# From here on the log kept by a slot (bytes) is a warning.
SLOT_WARN_BYTES: Final = 1 << 30


def kafka(now: Settings) -> Iterable[PartStatus]:
    """Its topics and replicas."""
    states = read_topics(client_options(now), now.producer_quotas)
    missing, late = missing_topics(states, now.producer_quotas), sum(state.out_of_sync for state in states)
    facts = {"topics": len(states), "missing": missing, "outOfSync": late, "bytes": sum(it.bytes for it in states)}
    if missing:
        yield PartStatus(
            "kafka", PartState.DOWN, f"topics are missing: {', '.join(missing)}; `python -m connect` makes them", facts
        )
    elif late:
        yield PartStatus("kafka", PartState.WARN, f"{late} replicas are out of sync: a broker is gone or slow", facts)
    elif wide := widened_topics(states, now):
        text = f"partitions were added to {', '.join(wide)}: docs/operations.md says what follows"
        yield PartStatus("kafka", PartState.WARN, text, facts)
    else:
        yield PartStatus("kafka", PartState.OK, f"{len(states)} topics, every replica in sync", facts)


def postgres(now: Settings) -> Iterable[PartStatus]:
    """Whether it answers, and how far its replication slots are behind."""
    address = now.database_url.get_secret_value()
    wanted = {connector.slot for connector in connectors(now)}
    with psycopg.connect(address, connect_timeout=TIMEOUT_S) as connection:
        slots = {slot.name: slot for slot in read_slots(connection)}
    yield PartStatus("postgres", PartState.OK, "answers")
    for name in sorted(wanted - slots.keys()):
        yield PartStatus(f"  slot {name}", PartState.DOWN, "is missing: `python -m connect` says why")
    for name in sorted(wanted & slots.keys()):
        slot = slots[name]
        facts = {"active": slot.active, "behind": slot.behind, "kept": slot.kept, "keeps": slot.keeps}
        text = f"{size(slot.behind)} behind, keeps {size(slot.kept)} of the log"
        if slot.lost:
            yield PartStatus(f"  slot {name}", PartState.DOWN, "has lost its log: `turnstile connectors resync`", facts)
        elif not slot.active:
            yield PartStatus(f"  slot {name}", PartState.DOWN, f"it has no reader; {text}", facts)
        else:
            yield PartStatus(
                f"  slot {name}", PartState.WARN if slot.kept > SLOT_WARN_BYTES else PartState.OK, text, facts
            )


def kafka_connect(now: Settings) -> Iterable[PartStatus]:
    """Whether it answers, and its connectors."""
    with closing(ConnectClient(now.connect_url, timeout=TIMEOUT_S)) as worker:
        states = worker.states()
    yield PartStatus("connect", PartState.OK, "answers")
    ages = _ages(now)
    for name in [connector.name for connector in connectors(now)]:
        state = states.get(name, MISSING_CONNECTOR)
        yield connector_part(name, state, ages.get(name))


def connector_part(name: str, state: ConnectorState, age: float | None) -> PartStatus:
    """A connector by its state in Kafka Connect, and the seconds since a row last came through, if known."""
    running = set(state.states) == {"RUNNING"} and len(state.states) > 1
    late = "" if age is None else lateness(age)
    text = f"{state.summary}: {state.error}" if state.error else state.summary
    facts = {"states": state.states, "error": state.error or None, "age": age}
    well = running and not late
    return PartStatus(
        f"  connector {name}", PartState.OK if well else PartState.DOWN, "; ".join(filter(None, (text, late))), facts
    )


def _ages(now: Settings) -> dict[str, float]:
    """By connector the age of its newest heartbeat; empty if Kafka doesn't answer, which its own part reports."""
    with closing(CaptureWatch(client_options(now), [connector.name for connector in connectors(now)])) as watch:
        try:
            watch.look()
        except KafkaError:
            return {}
        return watch.ages()


def elasticsearch(now: Settings) -> Iterable[PartStatus]:
    """The number of documents."""

    async def count() -> int:
        async with make_elasticsearch(now) as client:
            found = await client.options(request_timeout=TIMEOUT_S, max_retries=0).count(index=ALIAS)
            return int(found["count"])

    documents = asyncio.run(count())
    yield PartStatus("elasticsearch", PartState.OK, f"{documents} documents", {"documents": documents})


def mail(now: Settings) -> Iterable[PartStatus]:
    """Whether the mail server listens."""
    with socket.create_connection((now.smtp_host, now.smtp_port), timeout=TIMEOUT_S):
        yield PartStatus("mail", PartState.OK, f"{now.smtp_host}:{now.smtp_port} listens")


def dead_letters(now: Settings) -> Iterable[PartStatus]:
    """The open ones by consumer, and the last of them."""
    letters = DeadLetterTopics(client_options(now))
    still = [one for name in CONSUMERS for one in letters.read(name, content=False) if one.fate is None]
    counts = Counter(one.consumer for one in still)
    if not still:
        yield PartStatus("dead letters", PartState.OK, "none", {"open": {}})
        return
    last = max(reversed(still), key=lambda one: one.at)  # of one moment the one that was stored last
    told = ", ".join(f"{count} of {name}" for name, count in counts.items())
    text = f"{told}; the last, {last.id}: {last.error}; `turnstile dlq list`"
    yield PartStatus("dead letters", PartState.WARN, text, {"open": counts, "last": last.id, "error": last.error})

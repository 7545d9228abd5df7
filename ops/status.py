"""The state of every part, asked from outside and all at the same time, so that none waits for one that is down."""

import asyncio
import json
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import httpx
import psycopg
from kafka.errors import KafkaError

from api.adapters.ledger.worker_views import worker_client
from connect.client_options import client_options
from connect.connectors.configuration import connectors
from connect.connectors.rest_client import MISSING_CONNECTOR, ConnectClient, ConnectorState
from connect.observe.dead_letters import DeadLetterTopics
from connect.observe.heartbeat import CaptureWatch, lateness
from connect.observe.lag import KafkaWatch
from connect.observe.slots import read_slots
from connect.topics import CONSUMERS, changelog
from ops.topics import missing_topics, partition_ends, read_topics
from settings import Settings
from streams.search.index import make_elasticsearch
from streams.search.mapping import ALIAS

TIMEOUT_S: Final = 3
# From here on the lag of a role (records) and the log kept by a slot (bytes) are a warning.
LAG_WARN_RECORDS: Final = 10_000
SLOT_WARN_BYTES: Final = 1 << 30
# The phases of working parts (stack/part.py).
WORKING: Final = ("ready", "done")


class PartState(StrEnum):
    """DOWN needs an operator, WARN may pass by itself."""

    OK = "ok"
    WARN = "warn"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A part's state in one line, with its figures."""

    name: str
    state: PartState
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


Probe = Callable[[Settings], Iterable[PartStatus]]


def look(now: Settings, probes: dict[str, Probe] | None = None) -> list[PartStatus]:
    """The state of every part. One that can't be asked is down, with the reason in one line."""
    chosen = PROBES if probes is None else probes
    with ThreadPoolExecutor(len(chosen)) as pool:
        found = pool.map(lambda name: _asked(name, chosen[name], now), chosen)
        parts = [part for parts in found for part in parts]
    return [*_stopped(now, parts), *parts]


def worst(parts: Sequence[PartStatus]) -> PartState:
    """The worst state."""
    states = {part.state for part in parts}
    return PartState.DOWN if PartState.DOWN in states else PartState.WARN if PartState.WARN in states else PartState.OK


def _stopped(now: Settings, parts: Sequence[PartStatus]) -> Iterable[PartStatus]:
    """How to start the embedded stack if none of it runs; the line of its supervisor, if there is one, says it too."""
    is_embedded, names = now.supervisor_file is not None, {part.name for part in parts}
    if is_embedded and names and "supervisor" not in names and all(part.state is PartState.DOWN for part in parts):
        yield PartStatus("supervisor", PartState.DOWN, "nothing runs: `make run` starts everything")


def _asked(name: str, probe: Probe, now: Settings) -> list[PartStatus]:
    try:
        return list(probe(now))
    except Exception as error:  # noqa: BLE001 (the part can't be asked, the others can)
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return [PartStatus(name, PartState.DOWN, lines[0])]


def _supervisor(now: Settings) -> Iterable[PartStatus]:
    """The state of the embedded stack's supervisor; nothing without one, as in containers."""
    if now.supervisor_file is None or not now.supervisor_file.exists():
        return
    told = json.loads(now.supervisor_file.read_text())
    if not _runs(told["pid"]):
        yield PartStatus("supervisor", PartState.DOWN, "has ended with all that it ran: `make run` restarts it")
        return
    lacking = [part for part in told["parts"] if part["reason"] or part["phase"] not in WORKING]
    runs = f"{len(told['parts']) - len(lacking)} of {len(told['parts'])} parts work"
    yield PartStatus("supervisor", PartState.WARN if lacking else PartState.OK, runs)
    for part in lacking:
        text = part["reason"] or part["phase"]
        failures = f"; failed {part['failures']} times in a row" if part["failures"] > 1 else ""
        state = PartState.DOWN if part["reason"] else PartState.WARN
        yield PartStatus(f"  {part['name']}", state, text + failures, {"failures": part["failures"]})


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def _kafka(now: Settings) -> Iterable[PartStatus]:
    states = read_topics(client_options(now), now.producer_quotas)
    missing, late = missing_topics(states, now.producer_quotas), sum(state.out_of_sync for state in states)
    facts = {"topics": len(states), "missing": missing, "outOfSync": late, "bytes": sum(it.bytes for it in states)}
    if missing:
        yield PartStatus(
            "kafka", PartState.DOWN, f"topics are missing: {', '.join(missing)}; `python -m connect` makes them", facts
        )
    elif late:
        yield PartStatus("kafka", PartState.WARN, f"{late} replicas are out of sync: a broker is gone or slow", facts)
    else:
        yield PartStatus("kafka", PartState.OK, f"{len(states)} topics, every replica in sync", facts)


def _roles(now: Settings) -> Iterable[PartStatus]:
    with closing(KafkaWatch(client_options(now), now.producer_quotas)) as watch:
        groups = watch.look().groups
    for role, group in groups.items():
        facts = {"workers": group.members, "lag": group.lag, "lags": dict(group.lags), "group": group.state}
        behind = ", ".join(f"{lag} of {topic}" for topic, lag in group.lags.items() if lag)
        text = f"{group.members} workers, {f'lag {behind}' if behind else 'no lag'}"
        if not group.members:
            yield PartStatus(role, PartState.DOWN, f"no worker, lag {behind or 0}", facts)
        elif group.state != "Stable" or group.lag > LAG_WARN_RECORDS:
            yield PartStatus(role, PartState.WARN, text if group.state == "Stable" else f"{text}; rebalancing", facts)
        else:
            yield PartStatus(role, PartState.OK, text, facts)


def _workers(now: Settings) -> Iterable[PartStatus]:
    """The ledger's workers, each with the partitions that it decides and those that it keeps copies of."""
    with _client(now, now.worker_urls) as client:
        answer = client.get("/api/worker/")
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        yield PartStatus("ledger's workers", PartState.DOWN, _status_in(answer))
        return
    urls = answer.raise_for_status().json()["workers"]
    told = {url: _view_of(now, url) for url in urls}
    ends = partition_ends(client_options(now), changelog("ledger"))
    for url, one in told.items():
        yield worker_part(one, ends) if one else PartStatus(f"  {url}", PartState.DOWN, "does not answer")


def _status_in(answer: httpx.Response) -> str:
    """The status of a worker that can't answer yet (streams/runtime/waiting.py)."""
    try:
        return str(answer.json()["status"])
    except (ValueError, KeyError, TypeError):
        return "can't answer now"


def _client(now: Settings, urls: Sequence[str]) -> httpx.Client:
    return worker_client(urls, httpx.Timeout(TIMEOUT_S), now.worker_token_list, now.worker_ca)


def _view_of(now: Settings, url: str) -> dict[str, Any] | None:
    try:
        with _client(now, [url]) as client:
            answer = client.get("/api/worker/")
    except httpx.TransportError:
        return None
    found: dict[str, Any] | None = answer.json() if answer.is_success else None
    return found


def worker_part(told: dict[str, Any], ends: Mapping[int, int]) -> PartStatus:
    """A ledger worker by its view; ``ends`` are the ends of the changelog's partitions, read after it."""
    copies = told["standsBy"]
    behind = sum(ends[int(number)] - (0 if mark is None else mark + 1) for number, mark in copies.items())
    text = f"decides {', '.join(told['decides']) or 'nothing'}"
    if copies:
        text += f"; its copies of {', '.join(copies)} are {f'{behind} records behind' if behind else 'up to date'}"
    return PartStatus(
        f"  {told['worker']}",
        PartState.WARN if behind > LAG_WARN_RECORDS else PartState.OK,
        text,
        told | {"behind": behind},
    )


def _postgres(now: Settings) -> Iterable[PartStatus]:
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


def _connect(now: Settings) -> Iterable[PartStatus]:
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


def _elasticsearch(now: Settings) -> Iterable[PartStatus]:
    async def count() -> int:
        async with make_elasticsearch(now) as client:
            found = await client.options(request_timeout=TIMEOUT_S, max_retries=0).count(index=ALIAS)
            return int(found["count"])

    documents = asyncio.run(count())
    yield PartStatus("elasticsearch", PartState.OK, f"{documents} documents", {"documents": documents})


def _api(now: Settings) -> Iterable[PartStatus]:
    answer = httpx.get(f"{now.api_url}/health/ready", timeout=TIMEOUT_S * 2, trust_env=False)
    told = answer.json()
    down = [name for name, state in told["checks"].items() if state != "up"]
    state = {"ready": PartState.OK, "degraded": PartState.WARN}.get(told["status"], PartState.DOWN)
    yield PartStatus("api", state, told["status"] + (f": {', '.join(down)} down" if down else ""), told)


def _mail(now: Settings) -> Iterable[PartStatus]:
    with socket.create_connection((now.smtp_host, now.smtp_port), timeout=TIMEOUT_S):
        yield PartStatus("mail", PartState.OK, f"{now.smtp_host}:{now.smtp_port} listens")


def _dead_letters(now: Settings) -> Iterable[PartStatus]:
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


def size(count: int) -> str:
    """A number of bytes with its unit."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


PROBES: Final[dict[str, Probe]] = {
    "supervisor": _supervisor,
    "kafka": _kafka,
    "workers": _roles,
    "ledger's workers": _workers,
    "postgres": _postgres,
    "connect": _connect,
    "elasticsearch": _elasticsearch,
    "api": _api,
    "mail": _mail,
    "dead letters": _dead_letters,
}

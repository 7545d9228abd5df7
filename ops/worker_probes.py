"""The state of the workers: each role as Kafka knows it, and the ledger's by their views."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

import httpx

from api.adapters.ledger.worker_views import worker_client
from connect.client_options import client_options
from connect.observe.ages import OldestRecords
from connect.observe.lag import KafkaWatch, RoleGroup
from connect.topics import changelog
from ops.part_status import AGE_WARN_S, LAG_WARN_RECORDS, TIMEOUT_S, PartState, PartStatus
from ops.topics import partition_ends
from settings import Settings


def roles(now: Settings) -> Iterable[PartStatus]:
    """The members of each role, and how far they are behind."""
    kafka = client_options(now)
    with closing(KafkaWatch(kafka, now.producer_quotas)) as watch, closing(OldestRecords(kafka)) as oldest:
        state = watch.look()
        for role, group in state.groups.items():
            yield role_part(role, group, max(oldest.ages(state.unread(role)).values(), default=0.0))


def role_part(role: str, group: RoleGroup, age: float) -> PartStatus:
    """A role by its group, and the age (s) of the oldest record that it has not done."""
    facts = {"workers": group.members, "lag": group.lag, "lags": dict(group.lags), "age": age, "group": group.state}
    behind = ", ".join(f"{lag} of {topic}" for topic, lag in group.lags.items() if lag)
    if group.strangers:
        text = f"{', '.join(group.strangers)} is in its group and takes records away: end it"
        return PartStatus(role, PartState.DOWN, f"{text}; docs/operations.md, InputLost", facts)
    if not group.members:
        return PartStatus(role, PartState.DOWN, f"no worker, lag {behind or 0}", facts)
    text = f"{group.members} workers, {f'lag {behind}' if behind else 'no lag'}"
    if age > AGE_WARN_S:
        text += f", the oldest for {age:.0f} s"
    if group.state != "Stable":
        text += "; rebalancing"
    late = group.state != "Stable" or group.lag > LAG_WARN_RECORDS or age > AGE_WARN_S
    return PartStatus(role, PartState.WARN if late else PartState.OK, text, facts)


def ledger_workers(now: Settings) -> Iterable[PartStatus]:
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

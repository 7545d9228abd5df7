"""Two workers share the partitions; they come, go and are killed while commands pour in."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from lab.trial_stack import TrialStack
from stack.member import get
from tables.messages.commands import Buy, TicketLine, encode_command
from tables.messages.outcomes import OutcomeKind
from tests.eventually import eventually
from tests.pipeline import Pipeline

ROOT = Path(__file__).parents[2]


@pytest.fixture
def two_workers(pipeline: Pipeline) -> Iterator[Pipeline]:
    pipeline.stack.start("ledger-1")
    yield pipeline
    if "ledger-1" in pipeline.stack.processes:
        pipeline.stack.stop("ledger-1")
    # Nobody else meets partitions that change hands.
    eventually(lambda: shares(pipeline) == [4], within=60)


def test_any_worker_shows_every_event(two_workers: Pipeline) -> None:
    events = [two_workers.event(5)[0] for _ in range(8)]

    for worker in (0, 1):
        for event in events:
            view = two_workers.view(event, worker)
            assert view["event"] == event


def test_workers_coming_and_going_under_load_lose_no_command(two_workers: Pipeline) -> None:
    stack = two_workers.stack
    sales = [two_workers.event(200) for _ in range(8)]
    sent: dict[str, set[UUID]] = {event: set() for event, _ in sales}

    def send(count: int) -> None:
        for _ in range(count):
            for event, [kind] in sales:
                purchase = uuid4()
                sent[event].add(purchase)
                command = Buy(UUID(event), purchase, uuid4(), [TicketLine(UUID(kind), 1)])
                two_workers.producer.send("ticket-commands", key=event.encode(), value=encode_command(command))

    send(100)
    stack.stop("ledger-1")
    send(100)
    stack.start("ledger-1")
    send(100)
    stack.kill("ledger-1")
    send(100)
    stack.start("ledger-1")
    send(50)
    stack.kill("ledger-0")
    send(50)
    stack.start("ledger-0")
    two_workers.producer.flush()

    def undecided() -> int:
        return sum(len(sent[event] - {one.purchase for one in two_workers.outcomes(event)}) for event in sent)

    eventually(lambda: undecided() == 0, within=60, pause=0.5)
    for event, _ in sales:
        decisions: dict[UUID, set[tuple[OutcomeKind, int]]] = {}
        for one in two_workers.outcomes(event):
            if one.purchase:
                decisions.setdefault(one.purchase, set()).add((one.kind, one.offset))
        assert all(len(decision) == 1 for decision in decisions.values())
        confirmed = sum(kind is OutcomeKind.CONFIRMED for decision in decisions.values() for kind, _ in decision)
        assert confirmed == 200
        view = two_workers.view(event)
        assert view["ticketTypes"][0]["sold"] == 200


@contextmanager
def one_more(stack: TrialStack) -> Iterator[None]:
    """``make worker`` in another terminal, then Ctrl-C."""
    ports = stack.settings.server_ports() | {"TURNSTILE_WORKER_PORT": stack.settings.worker_port}
    told = {"TURNSTILE_HOME": str(stack.settings.home), **{name: str(port) for name, port in ports.items()}}
    command = (sys.executable, "-m", "stack", "worker")
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **told})
    try:
        yield
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def shares(pipeline: Pipeline) -> list[int]:
    """How many partitions each worker decides, of those that the first one knows."""
    counts = []
    for url in get(f"{pipeline.worker}/api/worker/", 5).json()["workers"]:
        try:
            answer = get(f"{url.rstrip('/')}/api/worker/", 5)
        except httpx.TransportError:
            continue
        counts.append(len(answer.json()["decides"]))
    return sorted(counts)


def sold(pipeline: Pipeline, event: str) -> int | None:
    """How many tickets of its first type the worker's view of an event shows as sold; None while it shows none."""
    types = pipeline.view(event)["ticketTypes"]
    return types[0]["sold"] if types else None


def test_one_more_worker_takes_its_share_of_a_running_stack_and_gives_it_back(pipeline: Pipeline) -> None:
    eventually(lambda: shares(pipeline) == [4], within=60)
    event, [kind] = pipeline.event(6)
    assert pipeline.buy(event, kind, 1, pipeline.account()).status_code == 201
    with one_more(pipeline.stack):
        eventually(lambda: shares(pipeline) == [2, 2], within=60)
        assert pipeline.buy(event, kind, 1, pipeline.account()).status_code in (201, 202)
    assert pipeline.buy(event, kind, 1, pipeline.account()).status_code in (201, 202)
    eventually(lambda: sold(pipeline, event) == 3, within=30)
    eventually(lambda: shares(pipeline) == [4], within=60)

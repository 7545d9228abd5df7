"""Two workers share the partitions; they come, go and are killed while commands pour in."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from tables.commands import Line, Purchase, encode_command
from tables.outcomes import OutcomeKind
from tests.eventually import eventually
from tests.pipeline import Pipeline


@pytest.fixture
def two_workers(pipeline: Pipeline) -> Iterator[Pipeline]:
    pipeline.stack.start("ledger-1")
    yield pipeline
    if "ledger-1" in pipeline.stack.processes:
        pipeline.stack.stop("ledger-1")


def test_any_worker_shows_every_event(two_workers: Pipeline) -> None:
    events = [two_workers.event(5)[0] for _ in range(8)]

    for worker in (0, 1):
        for event in events:
            view = eventually(lambda event=event, worker=worker: two_workers.view(event, worker), within=30)  # type: ignore[misc]
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
                command = Purchase(UUID(event), purchase, uuid4(), [Line(UUID(kind), 1)])
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
        view = eventually(lambda event=event: two_workers.view(event), within=30)  # type: ignore[misc]
        assert view["ticketTypes"][0]["sold"] == 200

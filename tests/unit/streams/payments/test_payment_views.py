"""The views of payments over HTTP, asked of a worker that owns the partition and of one that doesn't."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest

from connect.topics import changelog
from streams.payments.payments import PaymentsAgent
from streams.payments.views import add_views
from streams.payments.views.operations import OPERATIONS
from streams.runtime.web_document import document
from tables.payments.records import (
    TOO_LARGE,
    PaymentRecord,
    RefundOrder,
    RefundStatus,
    Task,
    encode_payment,
    payment_key,
)
from tables.payments.transitions import PaymentState, TaskKind
from tests.unit.streams.inventory.view_workers import PARTITIONS, ViewWorker, home_of, serving

EVENT, OTHER_EVENT, ACCOUNT = UUID(int=0xE1 << 100), UUID(int=0xE2 << 100), UUID(int=0xA0)
PURCHASES = [UUID(int=0xB0 + number) for number in range(30)]
ALL = set(range(PARTITIONS))
MINE = {home_of(PURCHASES[0])}
HOSTILE = "<script>alert(1)</script>"
PAGE_OF_BUYER = "https://pay.example/secret"


class PaymentWorker(ViewWorker):
    """A worker of the role payments."""

    topics = (changelog("payments"),)

    def add_views(self) -> None:
        self.table = PaymentsAgent(self.app).table
        add_views(self.app, self.table)

    def close(self) -> None:
        self.table.close()

    def fill(self) -> None:
        """Store a payment for each purchase, of two events; one of them is unfinished, which adds to the index."""
        for place in self.owned:
            self.table._set_mark(place, 9)
        for event in (EVENT, OTHER_EVENT):
            for number, purchase in enumerate(PURCHASES):
                if (place := home_of(purchase)) in self.owned:
                    self.table.store(place, {payment_key(event, purchase): encode_payment(payment(event, number))})


def payment(event: UUID, number: int) -> PaymentRecord:
    """A captured payment of which a part was given back; the first one is still captured."""
    tasks = () if number else (Task(UUID(int=7), TaskKind.CAPTURE, Decimal("99.80")),)
    state = PaymentState.CAPTURED if number else PaymentState.CAPTURING
    given = RefundOrder(UUID(int=8), UUID(int=9), 1_900_000_000_000, HOSTILE, Decimal("20.00"), RefundStatus.ACCEPTED)
    order = (UUID(int=6), UUID(int=9), 1_900_000_000_000, HOSTILE, Decimal("200.00"), RefundStatus.REFUSED)
    refused = RefundOrder(*order, refusal=TOO_LARGE)
    return PaymentRecord(
        9, state, event, ACCOUNT, "EUR", Decimal("99.80"), 7, 1_900_000_000_000, 1_900_000_600_000,
        "paper", HOSTILE, PAGE_OF_BUYER, captured=Decimal("99.80"), refunded=Decimal("20.00"), tasks=tasks,
        refunds=(given, refused),
    )  # fmt: skip


@dataclass
class Pair:
    """The owner of the first purchase's partition, and the owner of all others."""

    owner: PaymentWorker
    other: PaymentWorker


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    group: dict[str, dict[str, list[int]]] = {}
    made = [PaymentWorker(tmp_path / str(len(it)), it, group, role="payments") for it in (MINE, ALL - MINE)]
    for worker in made:
        worker.fill()
        web: Any = worker.app.web
        web.blueprints.apply(web)  # Faust's own page is at / too
    with serving(*made):
        yield Pair(*made)


@pytest.fixture(params=["owner", "other"])
def worker(request: Any, pair: Pair) -> PaymentWorker:
    found: PaymentWorker = getattr(pair, request.param)
    return found


def test_any_worker_shows_a_payment_without_the_buyers_page(worker: PaymentWorker) -> None:
    path = f"/api/payment/{EVENT}/{PURCHASES[0]}/"
    answer = worker.get(path)
    body = answer.json()
    assert (body["account"], body["state"], body["captured"]) == (str(ACCOUNT), "capturing", "99.80")
    assert (body["tasks"], body["refunds"][0]["amount"]) == (["capture"], "20.00")
    assert [refund["refusal"] for refund in body["refunds"]] == [None, TOO_LARGE]
    assert (answer.headers["ETag"], PAGE_OF_BUYER in answer.text) == ('"9"', False)
    assert worker.get(path, headers={"If-None-Match": '"9"'}).status_code == 304
    assert worker.get(f"/api/payment/{EVENT}/{UUID(int=1)}/").status_code == 404


def test_any_worker_lists_every_payment_once(worker: PaymentWorker) -> None:
    found = [(each["event"], each["purchase"]) for each in worker.listed("/api/payments/?", 7)]
    due = [(str(event), str(purchase)) for event in (EVENT, OTHER_EVENT) for purchase in PURCHASES]
    assert sorted(found) == sorted(due)
    of_event = worker.listed(f"/api/payments/?event={OTHER_EVENT}&", 7)
    assert sorted(each["purchase"] for each in of_event) == sorted(map(str, PURCHASES))
    assert {each["event"] for each in of_event} == {str(OTHER_EVENT)}


def test_answers_are_as_the_document_says(worker: PaymentWorker) -> None:
    described = document(OPERATIONS)
    assert worker.get_json("/openapi.json") == described
    for operation in OPERATIONS:
        content = described["paths"][operation.path]["get"]["responses"]["200"]["content"]["application/json"]
        answer = worker.get(operation.path.format(event=EVENT, purchase=PURCHASES[0]))
        jsonschema_rs.validate({**content["schema"], "components": described["components"]}, answer.json())
        assert ("ETag" in answer.headers) == operation.has_revision


def test_people_have_a_page_on_which_every_text_is_text(worker: PaymentWorker) -> None:
    answer = worker.get("/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert ("99.80 EUR" in answer.text, "/api/payments/?cursor=" in answer.text) == (True, True)
    assert ("&lt;script&gt;" in answer.text, "<script" in answer.text) == (True, False)


def test_a_partition_that_moves_is_told(pair: Pair) -> None:
    pair.owner.owned.clear()
    pair.other.owned.clear()
    for path in ("/api/payments/", f"/api/payment/{EVENT}/{PURCHASES[0]}/", "/"):
        answer = pair.owner.get(path)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/partition-unavailable")

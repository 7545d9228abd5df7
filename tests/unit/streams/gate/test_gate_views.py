"""The view of quotas over HTTP, asked of a worker that owns some partitions and of one that owns the others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from connect.topics import changelog, requests
from streams.gate.journal import Journal
from streams.gate.views import add_views
from streams.gate.views.operations import OPERATIONS
from streams.runtime.web_document import document
from tables.gate.records import (
    AnsweredPage,
    QuotaRecord,
    RequestRecord,
    checked_key,
    encode_record,
    page_key,
    quota_key,
)
from tables.messages.request_origins import RequestOrigin
from tests.unit.streams.inventory.view_workers import PARTITIONS, ViewWorker, serving

PRODUCERS = ("kiosk", "partner")
AT_MS = 1_900_000_000_000
MINE = {0, 2}


class GateWorker(ViewWorker):
    """A worker of the gate."""

    topics = (changelog("gate"),)

    def add_views(self) -> None:
        self.table = Journal(self.app).table
        add_views(self.app, self.table)

    def close(self) -> None:
        self.table.close()

    def fill(self) -> None:
        """Store a quota for each producer and partition, among the records of requests."""
        for place in self.owned:
            self.table._set_mark(place, 9)
            for name in PRODUCERS:
                origin = RequestOrigin(requests(name), place, 7, AT_MS)
                records = {
                    checked_key(origin): RequestRecord(7, AT_MS, b"{}"),
                    page_key(origin): AnsweredPage(7, [AT_MS]),
                    quota_key(origin.topic): QuotaRecord(7 + place, AT_MS * 1_000 + 250_000, AT_MS),
                }
                self.table.store(place, {key: encode_record(record) for key, record in records.items()})


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[GateWorker]]:
    group: dict[str, dict[str, list[int]]] = {}
    owned = (MINE, set(range(PARTITIONS)) - MINE)
    pair = [GateWorker(tmp_path / str(min(it)), it, group, role="gate") for it in owned]
    for worker in pair:
        worker.fill()
        web: Any = worker.app.web
        web.blueprints.apply(web)  # Faust's own page is at / too
    with serving(*pair):
        yield pair


@pytest.mark.parametrize("number", [0, 1])
def test_any_worker_lists_each_quota_once(workers: list[GateWorker], number: int) -> None:
    items = workers[number].listed("/api/quotas/?", 3)
    places = [(each["partition"], each["topic"]) for each in items]
    assert places == [(place, requests(name)) for place in range(PARTITIONS) for name in PRODUCERS]
    assert items[2] == {"topic": requests("kiosk"), "partition": 1, "offset": 8, "at": AT_MS, "fullAt": AT_MS + 250}


def test_answers_are_as_the_document_says(workers: list[GateWorker]) -> None:
    described = document(OPERATIONS)
    assert workers[0].get_json("/openapi.json") == described
    schema = described["paths"]["/api/quotas/"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema_rs.validate({**schema, "components": described["components"]}, workers[1].get_json("/api/quotas/"))


def test_people_have_a_page(workers: list[GateWorker]) -> None:
    for worker in workers:
        answer = worker.get("/")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert requests("partner") in answer.text
        assert "2030-03-17 17:46:40" in answer.text


def test_a_partition_that_moves_is_told(workers: list[GateWorker]) -> None:
    for worker in workers:
        worker.owned.clear()
    for path in ("/api/quotas/", "/"):
        answer = workers[0].get(path)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/partition-unavailable")

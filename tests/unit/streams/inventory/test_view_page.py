"""The page for people, of a worker that owns the events and of one that doesn't."""

import base64
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.unit.streams.inventory.view_workers import PARTITIONS, ViewWorker, home_of, serving
from tests.unit.tables.ledger_driver import EVENT, LedgerDriver, purchase_id, ticket_type

HOSTILE = """<script>alert(1)</script>"><img src=x onerror='x'>{{ 7 * 7 }}"""


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[tuple[ViewWorker, ViewWorker]]:
    """The owner of all partitions, whose event has a hostile title, and a worker without any."""
    group: dict[str, dict[str, list[int]]] = {}
    pair = ViewWorker(tmp_path / "0", set(range(PARTITIONS)), group), ViewWorker(tmp_path / "1", set(), group)
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(name=HOSTILE), title=HOSTILE)
    driver.hold(1)
    pair[0].store(driver.table)
    for worker in pair:
        web: Any = worker.app.web
        web.blueprints.apply(web)  # Faust's own page is at / too
    with serving(*pair):
        yield pair


@pytest.fixture(params=[0, 1], ids=["owner", "other"])
def worker(request: Any, workers: tuple[ViewWorker, ViewWorker]) -> ViewWorker:
    return workers[request.param]


def test_the_page_shows_events_holds_partitions_and_workers(
    workers: tuple[ViewWorker, ViewWorker], worker: ViewWorker
) -> None:
    answer = worker.get("/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for text in (f"/api/event/{EVENT}/", str(purchase_id(1)), f"/api/partition/{home_of(EVENT)}/", workers[0].url):
        assert text in answer.text


def test_a_hostile_title_is_text(worker: ViewWorker) -> None:
    text = worker.get("/").text
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text


def test_the_page_runs_no_script_and_is_not_stored(worker: ViewWorker) -> None:
    answer = worker.get("/")
    policy = answer.headers["Content-Security-Policy"]
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{base64.b64encode(sha256(style.encode()).digest()).decode()}'" in policy
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_the_page_has_a_problem_where_the_events_cannot_be_read(workers: tuple[ViewWorker, ViewWorker]) -> None:
    workers[0].owned.clear()
    assert workers[1].get("/").json()["type"] == "/problems/partition-unavailable"
    assert workers[0].get("/?cursor=x").status_code == 422


def test_the_page_says_that_the_holds_cannot_be_read(workers: tuple[ViewWorker, ViewWorker]) -> None:
    workers[0].owned = set(range(home_of(EVENT) + 1))
    assert workers[0].owned != set(range(PARTITIONS))
    answer = workers[0].get("/?limit=1")
    assert (answer.status_code, f"/api/event/{EVENT}/" in answer.text) == (200, True)
    assert "Not available: a partition is moving" in answer.text

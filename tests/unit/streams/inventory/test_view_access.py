"""The views with read tokens and TLS: clients, workers among themselves, the API's client."""

from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest

from api.adapters.ledger.worker_views import WorkerViews, worker_client
from lab.free_ports import free
from ops.certificate import self_signed
from settings import Settings
from streams.runtime.app import web_tls
from streams.runtime.waiting import STATUS, WaitingPages
from tests.unit.streams.inventory.view_workers import PARTITIONS, ViewWorker, home_of, serving
from tests.unit.tables.ledger_driver import EVENT, LedgerDriver, ticket_type

TOKENS = [token_urlsafe(32), token_urlsafe(32)]
STOCK = f"/api/event/{EVENT}/"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate with its key, which is its own CA."""
    file = tmp_path / "certificate.pem"
    file.write_text(self_signed())
    return file


def test_workers_forward_the_token_and_speak_tls_among_themselves(tmp_path: Path, certificate: Path) -> None:
    group: dict[str, dict[str, list[int]]] = {}
    options: dict[str, Any] = {
        "worker_tokens": ",".join(TOKENS),
        "worker_certificate": certificate,
        "worker_ca": certificate,
    }
    owner = ViewWorker(tmp_path / "0", {home_of(EVENT)}, group, **options)
    other = ViewWorker(tmp_path / "1", set(range(PARTITIONS)) - {home_of(EVENT)}, group, **options)
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    owner.store(driver.table)
    with serving(owner, other):
        for worker in (owner, other):
            assert worker.url.startswith("https://")
            assert worker.get(STOCK).status_code == 401
            answers = [worker.get(STOCK, headers={"Authorization": f"Bearer {token}"}) for token in TOKENS]
            assert [answer.status_code for answer in answers] == [200, 200]
            with worker_client([worker.url], httpx.Timeout(5), TOKENS, certificate) as client:
                assert client.get(STOCK).json()["event"] == str(EVENT)
            views = WorkerViews(Settings(ticket_key="k" * 32, worker_url=worker.url, **options))
            assert len(views.stock(EVENT)) == 1
            views.close()
        with worker_client([other.url], httpx.Timeout(5), TOKENS) as client, pytest.raises(httpx.ConnectError):
            client.get(STOCK)


def test_a_worker_that_waits_for_kafka_speaks_tls_too(tmp_path: Path, certificate: Path) -> None:
    worker = ViewWorker(tmp_path, set(), {}, worker_certificate=certificate)
    [port] = free(1)
    with WaitingPages("127.0.0.1", port, web_tls(worker.app.settings)) as pages:
        pages.report("no broker")
        with worker_client([f"https://127.0.0.1:{port}"], httpx.Timeout(5), (), certificate) as client:
            assert client.get("/health/live").json() == {"status": STATUS}
    worker.client.close()
    worker.ledger.table.close()


def test_the_group_knows_a_worker_by_the_scheme_that_it_speaks(tmp_path: Path, certificate: Path) -> None:
    for options, scheme in (({}, "http"), ({"worker_certificate": certificate}, "https")):
        worker = ViewWorker(tmp_path / scheme, set(), {}, **options)
        assert worker.app.conf.canonical_url.scheme == scheme
        worker.client.close()
        worker.ledger.table.close()

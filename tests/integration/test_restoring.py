"""PostgreSQL is lost and restored from a backup: what was sold since is there, and changes arrive again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from ops import restored
from settings import Settings
from stack.backup import backup, restore
from stack.errors import RestoreRefused
from streams.search.verify import differences
from tests.eventually import eventually
from tests.pipeline import Pipeline

POSITION = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"


@pytest.fixture
def file(pipeline: Pipeline, tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "backup"
    pipeline.stack.start("sales-0")


def test_what_is_no_backup_and_a_worker_in_the_way_are_refused_before_anything_is_done(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    event = pipeline.new_event()
    pid = pipeline.stack.pids["postgres"]
    wrong = tmp_path / "wrong"
    wrong.write_text("nothing of the kind")
    with pytest.raises(RestoreRefused, match="stop sales-0 first"):
        restore(pipeline.stack, wrong)
    eventually(lambda: holds_on(pipeline.settings), within=30)
    pipeline.stack.stop("sales-0")
    try:
        with pytest.raises(RestoreRefused, match="pg_restore: "):
            restore(pipeline.stack, wrong)
    finally:
        pipeline.stack.start("sales-0")
    assert pipeline.stack.pids["postgres"] == pid
    assert pipeline.title(event)


def holds_on(now: Settings) -> bool:
    """Whether a running worker forbids to rewind its group; one that has just started has not joined it yet."""
    try:
        restored.rewind_sales(now, timeout_s=0)
    except restored.NotReady as error:
        return "stop the workers of the role sales" in str(error)
    return False


def test_a_database_that_was_lost_is_restored_and_everything_follows(pipeline: Pipeline, file: Path) -> None:
    mark = uuid4().hex[:8]
    event, [kind] = pipeline.event(10, title=f"Kept {mark}")
    gone_by_then = pipeline.new_event(title=f"Deleted {mark}")
    account = pipeline.account()
    assert pipeline.buy(event, kind, 1, account).status_code == httpx.codes.CREATED
    eventually(lambda: pipeline.rows("SELECT 1 FROM purchase WHERE event_id = %s", event), within=20)
    eventually(lambda: gone_by_then in pipeline.found(mark), within=20)

    backup(pipeline.stack, file)
    assert file.stat().st_mode & 0o077 == 0
    since = pipeline.buy(event, kind, 2, account)
    assert since.status_code == httpx.codes.CREATED
    for title in (f"Changed {mark}", f"Twice {mark}"):
        assert pipeline.http.patch(f"/events/{event}", json={"title": title}).is_success
    lost = pipeline.new_event(title=f"Lost {mark}")
    assert pipeline.http.delete(f"/events/{gone_by_then}").is_success
    eventually(lambda: set(pipeline.found(mark)) == {event, lost}, within=20)
    version = pipeline.view(event)["version"]
    [(before,)] = pipeline.rows(POSITION)

    pipeline.stack.stop("sales-0")
    restore(pipeline.stack, file)
    pipeline.stack.start("sales-0")

    [(after,)] = pipeline.rows(POSITION)
    assert after > before
    assert eventually(lambda: pipeline.title(event) == f"Kept {mark}", within=20)
    assert asyncio.run(differences(pipeline.settings, 20)) == {}
    assert set(pipeline.found(mark)) == {event, gone_by_then}
    # What was sold since the backup stands in the projection again, and the ledger never lost it.
    bought = f"/purchases/{since.json()['id']}"
    eventually(lambda: pipeline.http.get(bought).json()["status"] == "confirmed", within=30)
    sold = "SELECT count(*) FROM purchase WHERE event_id = %s AND status = 'confirmed'"
    eventually(lambda: pipeline.rows(sold, event) == [(2,)], within=30)
    # The ledger takes the restored definition for the newest, and every change after it.
    eventually(lambda: pipeline.view(event)["version"] > version, within=30)
    assert pipeline.http.patch(f"/events/{event}", json={"title": f"Again {mark}"}).is_success
    eventually(lambda: pipeline.found(f"Again {mark}")[:1] == [event], within=30)
    assert pipeline.buy(event, kind, 7, account).status_code == httpx.codes.CREATED
    assert pipeline.buy(event, kind, 1, account).json()["type"].endswith("sold-out")

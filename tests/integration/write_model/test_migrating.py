"""Migrations on a real server: once each, whole or not at all, whoever else is at it."""

import multiprocessing
from pathlib import Path

import psycopg
import pytest
from yoyo import read_migrations

from migrations.apply import apply_steps, open_backend
from migrations.errors import EditedMigration, LockTimeout
from migrations.lock import KEY, migration_lock
from migrations.steps import FOLDER, read_steps
from stack.postgres import CAPTURE
from tests.integration.write_model.conftest import Scratch

TABLES = {"account", "event", "ticket_type", "event_outbox", "heartbeat", "purchase", "notification"}


def tables(scratch: Scratch) -> set[str]:
    return {row[0] for row in scratch.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def write(folder: Path, name: str, forward: str, back: str = "SELECT 1;") -> None:
    (folder / f"{name}.sql").write_text(forward)
    (folder / f"{name}.rollback.sql").write_text(back)


def test_an_empty_database_gets_every_step_and_the_next_run_does_nothing(empty: Scratch) -> None:
    assert apply_steps(empty.url, CAPTURE) == [step.id for step in read_steps(FOLDER)]
    assert tables(empty) >= TABLES
    assert apply_steps(empty.url, CAPTURE) == []


def test_starts_at_the_same_time_apply_each_step_once(empty: Scratch) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        applied = pool.starmap(apply_steps, [(empty.url, CAPTURE)] * 3)
    assert sorted(step for run in applied for step in run) == [step.id for step in read_steps(FOLDER)]


def test_an_edited_step_is_named_and_nothing_is_applied(empty: Scratch, tmp_path: Path) -> None:
    write(tmp_path, "0001_first", "CREATE TABLE first (id int);")
    apply_steps(empty.url, CAPTURE, tmp_path)
    write(tmp_path, "0001_first", "CREATE TABLE first (id bigint);")
    write(tmp_path, "0002_second", "CREATE TABLE second (id int);")
    with pytest.raises(EditedMigration, match=r"0001_first\.sql"):
        apply_steps(empty.url, CAPTURE, tmp_path)
    assert "second" not in tables(empty)


def test_a_step_that_fails_leaves_nothing_and_can_be_mended(empty: Scratch, tmp_path: Path) -> None:
    write(tmp_path, "0001_half", "CREATE TABLE half (id int);\nCREATE TABLE half (id int);")
    with pytest.raises(psycopg.errors.DuplicateTable):
        apply_steps(empty.url, CAPTURE, tmp_path)
    assert "half" not in tables(empty)
    write(tmp_path, "0001_half", "CREATE TABLE half (id int);")
    assert apply_steps(empty.url, CAPTURE, tmp_path) == ["0001_half"]


def test_a_lock_row_that_a_killed_run_left_behind_stops_nobody(scratch: Scratch) -> None:
    scratch.rows("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
    assert apply_steps(scratch.url, CAPTURE) == []


def test_a_run_that_waits_too_long_says_so(empty: Scratch) -> None:
    with psycopg.connect(empty.url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (KEY,))
        with pytest.raises(LockTimeout), migration_lock(empty.url, timeout=0.2, interval=0.05):
            pytest.fail("the lock was taken twice")


def test_every_step_can_be_undone(scratch: Scratch) -> None:
    with open_backend(scratch.url, CAPTURE) as backend:
        for migration in backend.to_rollback(read_migrations(str(FOLDER))):
            backend.rollback_one(migration)
    assert not tables(scratch) & TABLES
    assert scratch.rows("SELECT pubname FROM pg_publication") == []


def test_replica_identities_are_as_chosen(scratch: Scratch) -> None:
    query = "SELECT relname, relreplident FROM pg_class WHERE relname = ANY(%s)"
    found = {str(name): identity for name, identity in scratch.rows(query, sorted(TABLES))}
    assert {name for name, identity in found.items() if identity in ("f", b"f")} == {"event"}


@pytest.mark.parametrize(
    "allowed",
    [
        "SELECT id, first_name, last_name, email, locale FROM account",
        "SELECT * FROM event",
        "SELECT * FROM event_outbox",
        "INSERT INTO heartbeat VALUES ('x', now()) ON CONFLICT (connector) DO UPDATE SET at = now()",
    ],
)
def test_capture_reads_what_it_publishes(scratch: Scratch, allowed: str) -> None:
    scratch.rows_as_capture(allowed)


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT phone FROM account",
        "SELECT birth_date FROM account",
        "SELECT * FROM account",
        "SELECT * FROM ticket_type",
        "SELECT * FROM purchase",
        "DELETE FROM heartbeat",
        "UPDATE event SET title = 'x'",
        "DELETE FROM event_outbox",
        "CREATE TABLE mine (id int)",
    ],
)
def test_capture_does_nothing_else(scratch: Scratch, forbidden: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scratch.rows_as_capture(forbidden)

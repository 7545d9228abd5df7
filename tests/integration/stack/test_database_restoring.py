"""A restore that does not come to its end leaves the database as it was, and the former data where they were."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lab.trial_stack import TrialStack
from stack.backup import BEFORE, backup, restore, restore_database
from stack.errors import RestoreRefused
from stack.postgres import SUPERUSER, Postgres

KEPT = "SELECT word FROM kept"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[TrialStack]:
    """A running PostgreSQL with a table."""
    stack = TrialStack.on_free_ports(tmp_path / "home")
    try:
        stack.start("postgres")
        run(stack, "CREATE TABLE kept AS SELECT md5(n::text) AS word FROM generate_series(1, 20000) AS n")
        yield stack
    finally:
        stack.remove()


def run(stack: TrialStack, query: str) -> list[tuple[Any]]:
    with psycopg.connect(server(stack).url(SUPERUSER), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def server(stack: TrialStack) -> Postgres:
    found = stack.members["postgres"]
    assert isinstance(found, Postgres)
    return found


def test_a_dump_that_is_cut_off_or_damaged_is_refused_before_anything_is_done(
    stack: TrialStack, tmp_path: Path
) -> None:
    file, pid = tmp_path / "dump", stack.pids["postgres"]
    backup(stack, file)
    whole = file.read_bytes()
    middle = len(whole) // 2
    for content in (whole[:middle], whole[:middle] + b"damaged" + whole[middle + 7 :]):
        file.write_bytes(content)
        with pytest.raises(RestoreRefused, match="pg_restore: "):
            restore(stack, file)
    assert stack.pids["postgres"] == pid


def test_a_restore_that_fails_keeps_the_data_however_often_it_is_tried(stack: TrialStack, tmp_path: Path) -> None:
    """A constraint looks into a table by its name alone, which nobody finds during a restore."""
    run(stack, "CREATE FUNCTION is_kept(text) RETURNS bool LANGUAGE sql AS 'SELECT true FROM kept LIMIT 1'")
    run(stack, "CREATE TABLE odd (word text CHECK (is_kept(word)))")
    run(stack, "INSERT INTO odd VALUES ('any')")
    backup(stack, file := tmp_path / "dump")
    run(stack, "INSERT INTO kept VALUES ('since')")
    for _ in range(2):
        with pytest.raises(RestoreRefused, match='relation "kept" does not exist'):
            restore_database(stack, file)
    stack.start("postgres")
    assert ("since",) in run(stack, KEPT)


def test_rights_and_owners_are_restored_also_of_roles_that_only_the_lost_server_had(
    stack: TrialStack, tmp_path: Path
) -> None:
    for role in ("guest", '"The ""other"" team"', "reader", "friend"):
        run(stack, f"CREATE ROLE {role} LOGIN")
    run(stack, "GRANT SELECT ON kept TO guest WITH GRANT OPTION")
    run(stack, 'ALTER TABLE kept OWNER TO "The ""other"" team"')
    run(stack, "ALTER DEFAULT PRIVILEGES FOR ROLE guest GRANT SELECT ON TABLES TO PUBLIC")
    run(stack, "CREATE POLICY own ON kept FOR SELECT TO reader, guest USING (word <> 'hand TO hell')")
    run(stack, "SET SESSION AUTHORIZATION guest; GRANT SELECT ON kept TO friend")
    backup(stack, file := tmp_path / "dump")
    restore_database(stack, file)
    assert run(stack, "SELECT roles::text FROM pg_policies") == [("{guest,reader}",)]
    assert run(stack, "SELECT grantor::text FROM information_schema.table_privileges WHERE grantee = 'friend'") == [
        ("guest",)
    ]
    assert run(stack, "SELECT tableowner FROM pg_tables WHERE tablename = 'kept'") == [('The "other" team',)]
    assert run(stack, "SELECT has_table_privilege('guest', 'kept', 'SELECT WITH GRANT OPTION')") == [(True,)]
    assert run(stack, "SELECT rolcanlogin FROM pg_roles WHERE rolname IN ('guest', 'The \"other\" team')") == [
        (False,),
        (False,),
    ]


def test_the_former_data_are_kept_beside_the_restored_ones(stack: TrialStack, tmp_path: Path) -> None:
    backup(stack, file := tmp_path / "dump")
    run(stack, "INSERT INTO kept VALUES ('since')")
    restore_database(stack, file)
    assert len(run(stack, KEPT)) == 20_000
    assert (server(stack).data.with_name(BEFORE) / "PG_VERSION").exists()

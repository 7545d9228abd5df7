"""Backup and restore of a database, without its server."""

import os
from pathlib import Path

import pytest

from lab.trial_stack import TrialStack
from stack import backup as stack_backup
from stack.backup import DRAFT, backup, restore_database, roles_of
from stack.errors import RestoreRefused
from stack.postgres import Postgres


@pytest.fixture
def stack(tmp_path: Path) -> TrialStack:
    return TrialStack.on_free_ports(tmp_path / "home")


def test_a_backup_that_fails_says_why_and_leaves_no_file(stack: TrialStack, tmp_path: Path) -> None:
    file = tmp_path / "turnstile.dump"
    with pytest.raises(RestoreRefused, match=r"^pg_dump: error: connection to server .* failed"):
        backup(stack, file)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_second_backup_meanwhile_is_refused_and_takes_nothing_from_the_first(
    stack: TrialStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "turnstile.dump"

    def dump(_: object, _program: str, _format: str, target: str, _url: str) -> None:
        Path(target.removeprefix("--file=")).write_text("whole")
        with pytest.raises(BlockingIOError, match="another process is writing into"):
            backup(stack, file)

    monkeypatch.setattr(stack_backup, "_run", dump)
    backup(stack, file)
    assert file.read_text() == "whole"
    assert not list(tmp_path.glob("*.partial"))


def test_what_a_killed_backup_has_left_is_gone_after_the_next(
    stack: TrialStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process ends here."""

    def killed(*_: object) -> None:
        raise Killed

    def dump(_: object, _program: str, _format: str, target: str, _url: str) -> None:
        partial = Path(target.removeprefix("--file="))
        assert partial.stat().st_size == 0
        assert partial.stat().st_mode & 0o077 == 0
        partial.write_text("whole")

    file = tmp_path / "turnstile.dump"
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(stack_backup, "_run", killed)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        backup(stack, file)
    [left] = [path for path in tmp_path.iterdir() if path.name != "home"]
    left.write_text("half")
    left.chmod(0o644)
    monkeypatch.setattr(stack_backup, "_run", dump)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    backup(stack, file)
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == [file.name]


@pytest.fixture
def unprepared(stack: TrialStack, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """Nothing is started, and every program says that ``guest`` is named in the dump."""
    for name in ("prepare", "start"):
        monkeypatch.setattr(stack, name, lambda *_: None)
    monkeypatch.setattr(stack_backup, "_run", lambda *_, **__: "GRANT SELECT ON TABLE kept TO guest;\n")
    server = stack.members["postgres"]
    assert isinstance(server, Postgres)
    server.place.folder.mkdir(parents=True)
    server.password_file.with_name(f"{DRAFT}.initial_password").touch()
    return server


@pytest.mark.usefixtures("unprepared")
def test_roles_that_cant_be_made_refuse_the_restore(stack: TrialStack, tmp_path: Path) -> None:
    with pytest.raises(RestoreRefused, match="the roles of the dump can't be made: connection failed"):
        restore_database(stack, tmp_path / "turnstile.dump")


def test_the_server_has_its_own_data_again_also_if_it_cant_be_stopped(
    stack: TrialStack, unprepared: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, stops = unprepared.data, iter((None, OSError("full")))

    def stop(_: str) -> None:
        if error := next(stops):
            raise error

    monkeypatch.setattr(stack, "stop", stop)
    with pytest.raises(OSError, match="full"):
        restore_database(stack, tmp_path / "turnstile.dump")
    assert unprepared.data == own


@pytest.mark.parametrize(
    ("statement", "roles"),
    [
        ("GRANT SELECT ON TABLE public.kept TO guest;", {"guest"}),
        ('GRANT SELECT(word) ON TABLE kept TO "The ""other"" team" WITH GRANT OPTION;', {'The "other" team'}),
        ('GRANT ALL ON TABLE "gone TO hell" TO "back FROM hell";', {"back FROM hell"}),
        ("REVOKE ALL ON SCHEMA public FROM PUBLIC;", set()),
        ("REVOKE ALL ON TABLE kept FROM guest;", {"guest"}),
        ('ALTER TABLE public.kept OWNER TO "PUBLIC";', {"PUBLIC"}),
        ("ALTER TABLE ONLY kept ALTER COLUMN word SET DEFAULT 'hand TO hell'::text;", set()),
        ("ALTER TABLE ONLY kept ALTER COLUMN word SET DEFAULT 'hand TO hell';", set()),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE guest IN SCHEMA a GRANT SELECT ON TABLES TO host;", {"guest", "host"}),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE guest REVOKE ALL ON FUNCTIONS FROM PUBLIC;", {"guest"}),
        ('CREATE POLICY "p" ON public."T" AS RESTRICTIVE FOR SELECT TO guest, "a, b" USING (true);', {"guest", "a, b"}),
        ("CREATE POLICY p ON kept TO guest USING ((word IN ( SELECT k.word\n   FROM k)));", {"guest"}),
        ("CREATE POLICY p ON kept USING ((word <> 'hand TO hell'));", set()),
        ("CREATE USER MAPPING FOR guest SERVER far OPTIONS (\n    \"user\" 'me'\n);", {"guest"}),
        ("CREATE USER MAPPING FOR public SERVER far;", set()),
        ("SET SESSION AUTHORIZATION guest;\nGRANT SELECT ON TABLE kept TO host;", {"guest", "host"}),
    ],
)
def test_the_roles_of_a_dump_are_those_that_its_statements_name(statement: str, roles: set[str]) -> None:
    assert roles_of(f"SET row_security = off;\n\n{statement}\n\n") == roles

"""Backup of a server that does not answer."""

import os
from itertools import count
from pathlib import Path

import pytest

from stack import backup as stack_backup
from stack.backup import backup
from stack.embedded import Stack
from stack.errors import RestoreRefused


def test_a_backup_that_fails_says_why_and_leaves_no_file(tmp_path: Path) -> None:
    stack = Stack.on_free_ports(tmp_path / "home")
    file = tmp_path / "turnstile.dump"
    with pytest.raises(RestoreRefused, match=r"^pg_dump: error: connection to server .* failed"):
        backup(stack, file)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_two_backups_into_one_file_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, file = Stack.on_free_ports(tmp_path / "home"), tmp_path / "turnstile.dump"
    seen: list[Path] = []

    def dump(_: object, _program: str, _format: str, target: str, _url: str) -> None:
        partial = Path(target.removeprefix("--file="))
        seen.append(partial)
        partial.write_text(partial.name)
        if len(seen) == 1:
            backup(stack, file)
            assert file.read_text() == seen[1].name
            assert partial.read_text() == partial.name

    monkeypatch.setattr(stack_backup, "_run", dump)
    monkeypatch.setattr(os, "getpid", count(1).__next__)
    backup(stack, file)
    assert file.read_text() == seen[0].name
    assert not list(tmp_path.glob("*.partial"))

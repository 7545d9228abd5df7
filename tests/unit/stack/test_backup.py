"""Backup of a server that does not answer."""

from pathlib import Path

import pytest

from stack.backup import backup
from stack.embedded import Stack
from stack.errors import RestoreRefused


def test_a_backup_that_fails_says_why_and_leaves_no_file(tmp_path: Path) -> None:
    stack = Stack.on_free_ports(tmp_path / "home")
    file = tmp_path / "turnstile.dump"
    with pytest.raises(RestoreRefused, match=r"^pg_dump: error: connection to server .* failed"):
        backup(stack, file)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]

"""The command that makes the secret files."""

from pathlib import Path

from click.testing import CliRunner

from ops.commands.secrets import command
from ops.secrets import PASSWORDS


def test_it_tells_what_it_has_made_and_makes_nothing_twice(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first, second = (CliRunner().invoke(command, [str(folder)]).output for _ in range(2))
    assert first.startswith(f"{folder}: made {', '.join(PASSWORDS)}")
    assert second == f"{folder}: all there\n"

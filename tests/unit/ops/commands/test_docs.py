"""The command that prints and stores the pages of docs/ that are made from the code."""

from pathlib import Path

from click.testing import CliRunner

from ops.reference.generated import page_command


def test_a_page_is_printed_or_stored(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    command = page_command("page", path, lambda: "# Page\n")
    assert CliRunner().invoke(command).output == "# Page\n"
    assert not path.exists()
    assert CliRunner().invoke(command, ["--write"]).output == ""
    assert path.read_text() == "# Page\n"

"""Pages that repeat what the code says: they may not fall behind."""

import difflib
import re
from pathlib import Path
from typing import Any

import pytest

from ops.reference.settings_table import PAGE, page

ROOT = Path(__file__).parents[3]
DEPENDENCIES = (ROOT / "docs" / "dependencies.md").read_text()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(name: str) -> set[str]:
    lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    return {normal(re.split(r"[\[=<>~! ]", line)[0]) for line in lines if line and line[0] not in "#-"}


def locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.lock").read_text()
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", text, re.MULTILINE)
    return {normal(package): version for package, version in pins}


def told(heading: str) -> dict[str, tuple[str, str]]:
    section = DEPENDENCIES.split(heading)[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([\w.-]+) \| ([\w.]+) \| (.+) \|$", section, re.MULTILINE)
    return {normal(name): (version, why) for name, version, why in rows if name != "package"}


def test_the_table_of_settings_is_what_the_settings_say() -> None:
    stored, made = PAGE.read_text().splitlines(), page().splitlines()
    changes = "\n".join(difflib.unified_diff(stored, made, "docs/settings.md", "made from code", lineterm=""))
    assert not changes, f"run `python -m ops.reference.settings_table --write`\n{changes}"


@pytest.mark.parametrize("name", ["app", "dev"])
def test_every_direct_dependency_has_a_row_with_the_locked_version_and_a_reason(name: str) -> None:
    rows = told(f"(`requirements/{name}.in`)")
    assert set(rows) == asked_for(name)
    versions = locked("dev")
    assert {package: version for package, (version, _) in rows.items()} == {it: versions[it] for it in rows}
    assert all(len(why) > 10 for _, why in rows.values())


def test_what_is_deployed_is_what_was_tested() -> None:
    tested = locked("dev")
    assert {name: tested[name] for name in locked("app")} == locked("app")


def test_every_picture_of_a_page_is_there() -> None:
    for text in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", text.read_text()):
            assert (text.parent / picture).is_file(), f"{text.name}: {picture}"


def commands_of_compose() -> list[tuple[str, str, str]]:
    """Verb, options and the first service of each command for containers."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text() for page in pages)
    return re.findall(r"docker compose (up|exec|stop|rm|run)((?: --?[\w-]+)*) ([a-z]\w*)", text)


def test_commands_for_containers_name_services_that_there_are(services: dict[str, Any]) -> None:
    named = {service for _, _, service in commands_of_compose()}
    assert {"postgres", "bootstrap", "tools"} <= named <= set(services)


def test_what_a_page_starts_by_itself_is_waited_for() -> None:
    options = [options for verb, options, _ in commands_of_compose() if verb == "up"]
    assert options
    assert all("--wait" in each for each in options)


def test_no_lock_file_names_a_host() -> None:
    for path in (ROOT / "requirements").iterdir():
        assert "://" not in path.read_text(), path.name

"""Pages that repeat what the code says: they may not fall behind."""

import difflib
import re
from pathlib import Path
from typing import Any

import pytest

from api.pages.runbook import anchor
from ops.__main__ import turnstile
from ops.reference import documents, metrics_table, settings_table

ROOT = Path(__file__).parents[3]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "lab" / "bench" / "results" / "latest.md"]
# A file or folder of the project between backticks, perhaps with * in it; one with <a placeholder> is none.
PATHS = re.compile(
    r"`((?:api|connect|docs|examples|lab|migrations|ops|stack|streams|tables|telemetry|tests|translations)/[\w./*-]*)"
    r"(?=[`: ])"
)
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


MADE = {
    "settings.md": settings_table.page,
    "metrics.md": metrics_table.page,
    "openapi.json": documents.openapi_page,
    "views.json": documents.views_page,
    "asyncapi.json": documents.asyncapi_page,
    "schemas.json": documents.schemas_page,
}


@pytest.mark.parametrize("name", MADE)
def test_a_page_that_is_made_from_the_code_is_what_the_code_says(name: str) -> None:
    stored, made = (ROOT / "docs" / name).read_text().splitlines(), MADE[name]().splitlines()
    changes = "\n".join(difflib.unified_diff(stored, made, name, "made from code", lineterm="", n=8))
    assert not changes, f"run `turnstile docs {name.partition('.')[0]} --write`\n{changes}"


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
    for text in PAGES:
        for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", text.read_text()):
            assert (text.parent / picture).is_file(), f"{text.name}: {picture}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_page_names_is_there(path: Path) -> None:
    gone = [named for named in PATHS.findall(path.read_text()) if not list(ROOT.glob(named.rstrip("/")))]
    assert gone == []


def test_every_command_and_option_that_a_page_names_is_there() -> None:
    text = "\n".join(path.read_text() for path in PAGES)
    named = re.findall(r"(?:\./turnstile|`turnstile|-m ops|--rm tools) ([a-z][^`|#;&)\n]*)", text)
    assert len(named) > 100
    for words in map(str.split, named):
        command: Any = turnstile
        while words and words[0][0] != "-" and hasattr(command, "commands"):
            assert words[0].strip(".,:") in command.commands, words
            command = command.commands[words.pop(0).strip(".,:")]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word.strip(".,:") for word in words if word.startswith("--")} <= options, (command.name, words)


def test_every_target_of_make_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join(path.read_text() for path in PAGES)
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE))
    assert {"run", "demo", "backup"} <= named
    assert named <= targets


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    named = re.findall(r"\]\(([\w-]+\.(?:md|json))\)", index.read_text())
    there = [path.name for path in (ROOT / "docs").iterdir() if path.is_file() and path != index]
    assert sorted(named) == sorted(there)


def test_every_link_from_page_to_page_leads_to_a_heading() -> None:
    headings = {path: set(map(anchor, re.findall(r"^#+(.*)", path.read_text(), re.MULTILINE))) for path in PAGES}
    for path in PAGES:
        for target, name in re.findall(r"\]\(([\w./-]*\.md)?(?:#([\w-]+))?\)", path.read_text()):
            aim = (path.parent / target).resolve() if target else path
            assert aim in headings, f"{path.name}: {target}"
            assert not name or name in headings[aim], f"{path.name}: {target}#{name}"


def commands_of_compose() -> list[tuple[str, str, str]]:
    """Verb, options and the first service of each command for containers."""
    text = "\n".join(path.read_text() for path in PAGES)
    return re.findall(r"docker compose (up|exec|stop|rm|run)((?: --?[\w-]+)*) ([a-z][\w-]*)", text)


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

"""renovate.json: valid by its schema, and every version that it is there for is one that it finds."""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from stack.jars import LOCKS
from tests.builtin_schemas import check
from tests.golang import MODULES
from tests.yaml_files import read_documents

ROOT = Path(__file__).parents[3]
FILE = ROOT / "renovate.json"
RULES = json.loads(FILE.read_text())
FOLDERS = ("deploy", "examples", "requirements", "stack/jars", "tests")
# What a manager reads without being told.
BY_ITSELF = {
    "dockerfile": r"(^|/)Dockerfile$",
    "npm": r"(^|/)package\.json$",
    "gomod": r"(^|/)go\.mod$",
    "maven": r"(^|/)pom\.xml$",
}
READ = {
    "dockerfile": ["Dockerfile"],
    "docker-compose": ["compose.cluster.yml", "docker-compose.yml"],
    "helm-values": ["deploy/helm/values.yaml"],
    "pip_requirements": [
        "examples/python/requirements.txt",
        "requirements/app.lock",
        "requirements/dev.lock",
        "requirements/jars.lock",
    ],
    "npm": ["examples/node/package.json"],
    "gomod": ["examples/go/go.mod"],
    "maven": ["examples/java/pom.xml"],
}


def test_it_is_valid_by_the_schema_of_renovate() -> None:
    outcome = check("renovate", FILE)
    assert outcome.exit_code == 0, outcome.output


def test_a_wrong_field_is_noticed(tmp_path: Path) -> None:
    wrong = tmp_path / "renovate.json"
    wrong.write_text(json.dumps({**RULES, "enabledManagers": "npm"}))
    outcome = check("renovate", wrong)
    assert (outcome.exit_code, "enabledManagers" in outcome.output) == (1, True)


def files() -> Iterator[str]:
    """The files of the project, by their paths in it."""
    for path in (*ROOT.glob("*"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))):
        if path.is_file() and "node_modules" not in path.parts:
            yield str(path.relative_to(ROOT))


def found(patterns: Sequence[str]) -> list[str]:
    """The files that some of these patterns name."""
    return sorted({path for path in files() for pattern in patterns if re.search(pattern.strip("/"), path)})


@pytest.mark.parametrize("manager", [each for each in RULES["enabledManagers"] if each != "custom.regex"])
def test_each_manager_reads_its_files(manager: str) -> None:
    told = RULES.get(manager, {}).get("managerFilePatterns", [BY_ITSELF.get(manager, "")])
    assert found(told) == READ[manager]


def versions(custom: dict[str, Any]) -> set[tuple[str, str]]:
    """The names and versions that a manager of ours finds in its files."""
    made: set[tuple[str, str]] = set()
    for path in found(custom["managerFilePatterns"]):
        for pattern in custom["matchStrings"]:
            for one in re.finditer(pattern.replace("(?<", "(?P<"), (ROOT / path).read_text()):
                name = custom.get("depNameTemplate", "{{{depName}}}")
                made.add((re.sub(r"\{{3}(\w+)\}{3}", lambda key, one=one: one[key[1]], name), one["currentValue"]))  # type: ignore[misc]
    return made


def test_ours_find_every_version() -> None:
    jars, debezium, elasticsearch, programs = map(versions, RULES["customManagers"])
    roots = tomllib.loads((LOCKS / "roots.toml").read_text())
    parts = [root.rstrip("!").split(":") for coordinates in roots.values() for root in coordinates]
    assert jars == {(f"{group}:{artifact}", version) for group, artifact, version, *_ in parts}
    assert debezium == {each for each in jars if each[0] == "io.debezium:debezium-connector-postgres"}
    [search] = read_documents((ROOT / "deploy" / "examples" / "eck.yaml").read_text())
    assert elasticsearch == {("elasticsearch", search["spec"]["version"])}
    assert {version for _, version in programs} == {module.version for module in MODULES.values()}
    assert {name for name, _ in programs} == {
        "github.com/compose-spec/compose-go/v2",
        "helm.sh/helm/v3",
        "github.com/stripe/stripe-mock",
    }

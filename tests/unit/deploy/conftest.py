"""compose.cluster.yml over docker-compose.yml, merged by the loader of docker compose itself."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.golang import program

ROOT = Path(__file__).parents[3]
FILES = ("docker-compose.yml", "compose.cluster.yml")


@pytest.fixture(scope="session")
def cluster() -> dict[str, Any]:
    options = ("-no-interpolation", "-no-path-resolution", "-format", "json")
    done = subprocess.run(
        (program("compose-go"), *options, *FILES), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


@pytest.fixture(scope="session")
def services(cluster: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services, the environment of each by name."""
    return {name: service | {"environment": variables(service)} for name, service in cluster["services"].items()}


def variables(service: dict[str, Any]) -> dict[str, str]:
    told = service.get("environment", {})
    pairs = told.items() if isinstance(told, dict) else (each.split("=", 1) for each in told)
    return {key: by_default(str(value)) for key, value in pairs}


def by_default(value: str) -> str:
    """A value as an engine reads it; a variable without a default is set to a host."""
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", re.sub(r"\$\{\w+:\?.*?\}", "relay.example", value))

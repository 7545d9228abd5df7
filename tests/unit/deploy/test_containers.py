"""How `make containers` reads docker-compose.yml, without an engine."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from settings import Role
from tests.containers.container import Container
from tests.containers.engine import ROOT
from tests.containers.site import COMPOSE, JOBS, PARTS, WORKERS
from tests.yaml_files import read_yaml

SERVICES = read_yaml(COMPOSE.read_text())["services"]
# The user's file of secrets and the addresses of this machine.
SECRETS = Path("/made")
HOST = {"TURNSTILE_WORKER_PORT": "7000", "TURNSTILE_KAFKA_SERVERS": "127.0.0.1:9", "TURNSTILE_ROLE": "other"}


def options(service: Mapping[str, Any]) -> list[str]:
    return list(Container("it", service, "image", SECRETS, HOST)._options())


def test_pytest_knows_every_option_of_the_make_target() -> None:
    shown = subprocess.run(("make", "-n", "containers"), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    [options] = [line.split("-m pytest ")[1].split() for line in shown.splitlines() if "-m pytest " in line]
    # It lists its markers instead of running the tests.
    program = (sys.executable, "-m", "pytest", *options, "--markers")
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_role_runs_in_them() -> None:
    assert set(WORKERS) == set(get_args(Role))


@pytest.mark.parametrize("name", [*JOBS, *PARTS])
def test_everything_that_the_file_says_of_a_service_is_applied_or_named(name: str) -> None:
    service, made = SERVICES[name], options(SERVICES[name])
    assert {"--read-only=true", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp"} <= set(made)
    assert f"--memory={service['mem_limit']}" in made
    for secret in service["secrets"]:
        assert f"--volume=/made/{secret['source']}:/run/secrets/{secret['target']}:ro" in made
    assert len([each for each in made if each.startswith("--env=")]) == len(service["environment"])
    # What an engine would take from its own variables is the file's default.
    assert not [each for each in made if "${" in each]


@pytest.mark.parametrize("key", ["entrypoint", "user", "devices"])
def test_what_is_not_known_how_to_apply_is_an_error(key: str) -> None:
    with pytest.raises(AssertionError, match=key):
        options({**SERVICES["api"], key: ["word"]})


def test_addresses_are_this_machine_s_and_everything_else_is_the_file_s() -> None:
    ledger = Container("it", SERVICES["ledger"], "image", SECRETS, HOST)
    assert ledger.environment["TURNSTILE_KAFKA_SERVERS"] == "127.0.0.1:9"
    assert ledger.environment["TURNSTILE_ROLE"] == "ledger"
    check = " ".join(map(ledger._moved, SERVICES["ledger"]["healthcheck"]["test"]))
    assert "127.0.0.1:7000/health/ready" in check

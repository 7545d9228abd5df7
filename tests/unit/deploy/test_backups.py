"""The backups of the chart, and what they run."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deploy.test_chart import VALUES, Resource, environment, mounted, of_kind, pods, render
from tests.yaml_files import read_yaml

ROOT = Path(__file__).parents[3]
COMPOSE = read_yaml((ROOT / "docker-compose.yml").read_text())["services"]
BACKUPS: Mapping[str, Any] = VALUES["backups"]
OLD = "20250101T000000Z"
DUMPS_KEPT = 48


@pytest.fixture(scope="module")
def chart() -> list[Resource]:
    return render()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Of backups, and of secrets as Kubernetes mounts them: links into a folder whose name changes."""
    backups, secrets = tmp_path / "backups", tmp_path / "secrets"
    backups.mkdir()
    (secrets / "..data").mkdir(parents=True)
    for name in ("turnstile_database_url", "ticket_key"):
        (secrets / "..data" / name).write_text(name)
        (secrets / name).symlink_to(f"..data/{name}")
    return backups, secrets


def run(name: str, folders: tuple[Path, Path], programs: Path | None = None) -> int:
    backups, secrets = folders
    [shell, options, script] = BACKUPS[name]["command"]
    path = f"{programs}:{os.environ['PATH']}" if programs else os.environ["PATH"]
    given = {"PATH": path, "TURNSTILE_SECRETS_DIR": str(secrets), "TURNSTILE_DATABASE_CA": "/ca.crt"}
    script = script.replace("/backups", str(backups))
    return subprocess.run((shell, options, script), env=given, capture_output=True, check=False).returncode


def pg_dump(folder: Path, then: str) -> Path:
    """A pg_dump that writes its arguments and the variables of TLS into its file, and then does that."""
    program = folder / "bin" / "pg_dump"
    program.parent.mkdir()
    write = 'for one; do case "$one" in --file=*) echo "$* $PGSSLMODE $PGSSLROOTCERT" > "${one#--file=}";; esac; done'
    program.write_text(f"#!/bin/sh\n{write}\n{then}\n")
    program.chmod(0o755)
    return program.parent


def test_a_dump_has_its_name_when_it_is_complete_and_the_newest_are_kept(
    tmp_path: Path, folders: tuple[Path, Path]
) -> None:
    backups, _ = folders
    for number in range(DUMPS_KEPT):
        (backups / f"20250101T0000{number:02}Z.dump").touch()
    (backups / "20250101T000100Z.dump.unfinished").touch()
    assert run("database-backup", folders, pg_dump(tmp_path, "exit 0")) == 0
    found = sorted(path.name for path in backups.iterdir())
    assert (len(found), found[0]) == (DUMPS_KEPT, "20250101T000001Z.dump")
    newest = (backups / found[-1]).read_text()
    assert "--dbname=turnstile_database_url" in newest
    assert newest.endswith("verify-full /ca.crt\n")


def test_a_dump_that_fails_leaves_the_older_ones(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    backups, _ = folders
    (backups / f"{OLD}.dump").touch()
    assert run("database-backup", folders, pg_dump(tmp_path, "exit 1")) != 0
    assert [path.name for path in backups.glob("*.dump")] == [f"{OLD}.dump"]


def test_the_secrets_are_copied_again_only_when_they_changed(folders: tuple[Path, Path]) -> None:
    backups, secrets = folders
    assert run("secrets-backup", folders) == 0
    [first] = backups.iterdir()
    assert {path.name: path.read_text() for path in first.iterdir()} == {
        name: name for name in ("turnstile_database_url", "ticket_key")
    }
    first = first.rename(backups / OLD)
    assert run("secrets-backup", folders) == 0
    assert list(backups.iterdir()) == [first]
    (secrets / "..data" / "ticket_key").write_text("new")
    assert run("secrets-backup", folders) == 0
    assert min(path.name for path in backups.iterdir()) == OLD
    assert len(list(backups.iterdir())) == 2


def test_the_ledger_is_stored_as_in_compose(chart: list[Resource]) -> None:
    service, pod = COMPOSE["ledger-backup"], pods(chart)["ledger-backup"]
    [container] = pod["containers"]
    assert [*container["command"], "--every-hours", "6"] == service["command"]
    assert mounted(pod) == {secret["source"]: secret["target"] for secret in service["secrets"]}
    assert environment(pod)["TURNSTILE_LEDGER_SNAPSHOTS"] == "/backups"
    assert BACKUPS["database-backup"]["image"] == COMPOSE["database-backup"]["image"]


def test_each_has_a_volume_that_stays_and_never_runs_twice_at_a_time(chart: list[Resource]) -> None:
    claims = of_kind(chart, "PersistentVolumeClaim")
    for name, each in of_kind(chart, "CronJob").items():
        assert each["spec"]["concurrencyPolicy"] == "Forbid"
        assert claims[name]["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        [claim] = [one for one in pods(chart)[name]["volumes"] if one["name"] == "backups"]
        assert claim["persistentVolumeClaim"]["claimName"] == claims[name]["metadata"]["name"]
    assert set(claims) == set(of_kind(chart, "CronJob")) == set(BACKUPS)


def test_only_the_copy_of_the_secrets_has_all_of_them(chart: list[Resource]) -> None:
    assert [name for name, pod in pods(chart).items() if not mounted(pod)] == ["secrets-backup"]


def test_paper_runs_where_it_is_wanted_and_those_that_pay_know_its_key(chart: list[Resource]) -> None:
    with_paper = render("--set", "paper.enabled=true")
    assert {name for name in pods(with_paper) if "paper_key" in mounted(pods(with_paper)[name])} == {
        "api",
        "payments",
        "paper",
    }
    assert "paper" not in pods(chart)
    service, [container] = COMPOSE["paper"], pods(with_paper)["paper"]["containers"]
    moved = [each.replace("/turnstile/", "/").replace("turnstile-api", "api") for each in container["command"]]
    assert moved == service["command"]


def test_paper_reaches_the_api_alone_and_is_reached_by_those_that_pay() -> None:
    policies = of_kind(render("--set", "paper.enabled=true"), "NetworkPolicy")
    reached = {name for name, each in policies.items() if 8026 in ports(each["spec"]["egress"])}
    assert reached == {"api", "payments"}
    [rule] = policies["paper"]["spec"]["ingress"]
    assert rule["from"][0]["podSelector"]["matchExpressions"][0]["values"] == [*sorted(reached), "tools"]
    assert ports(policies["paper"]["spec"]["egress"]) == {53, 9000}
    asking = [peer["podSelector"]["matchLabels"] for peer in policies["api"]["spec"]["ingress"][0]["from"][1:]]
    assert [labels["app.kubernetes.io/component"] for labels in asking] == ["paper"]


def test_the_operator_s_pod_has_what_the_service_has_and_the_backups() -> None:
    chart = render("--set", "tools.enabled=true,paper.enabled=true")
    service, pod = COMPOSE["tools"], pods(chart)["tools"]
    told = {secret["source"]: secret["target"] for secret in service["secrets"]}
    assert mounted(pod) == told | {"smtp_password": "turnstile_smtp_password"}
    variables, wanted = environment(pod), service["environment"]
    for name in ("TURNSTILE_KAFKA_USER", "TURNSTILE_ELASTICSEARCH_USER", "TMPDIR"):
        assert variables[name] == wanted[name]
    assert variables["TURNSTILE_API_URL"] == "http://turnstile-api:9000"
    claims = {
        volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume
    }
    assert claims == {"turnstile-database-backup", "turnstile-ledger-backup"}
    assert variables["TURNSTILE_LEDGER_SNAPSHOTS"] in {
        each["mountPath"] for each in pod["containers"][0]["volumeMounts"]
    }


def test_the_operator_s_pod_reaches_every_part_and_they_let_it_in() -> None:
    policies = of_kind(render("--set", "tools.enabled=true"), "NetworkPolicy")
    assert ports(policies["tools"]["spec"]["egress"]) == {53, 587, 5432, 6066, 8083, 9000, 9093, 9200}
    assert policies["tools"]["spec"]["ingress"] is None
    asking = policies["api"]["spec"]["ingress"][0]["from"][1:]
    assert [peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in asking] == ["tools"]
    assert "tools" not in pods(render())


def ports(rules: list[Resource]) -> set[int]:
    return {port["port"] for rule in rules for port in rule["ports"]}

"""docker-compose.yml, checked as far as it can be without an engine."""

import importlib.util
import math
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from connect.access.principals import principals
from ops.secrets import make_secrets
from settings import Role, Settings
from stack.apps import apps, steps
from stack.broker_access import broker_properties
from stack.settings import StackSettings
from tests.builtin_schemas import check
from tests.settings_names import variables
from tests.yaml_files import read_yaml

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yml"
JOBS = ("bootstrap", "kafka-access", "capture", "search-access")
ONE_SHOT = {*JOBS, "tools"}
SCALED = ("ledger-1", "ledger-2")
WORKERS = ("ledger", *SCALED, "indexer", "notifications", "sales", "gate", "payments")
OURS = (*JOBS, "tools", "ledger-backup", "api", "exporter", *WORKERS)
PUBLISHED = {
    "proxy": [
        "${PUBLIC_ADDRESS:-127.0.0.1}:${HTTP_PORT:-80}:8080",
        "${PUBLIC_ADDRESS:-127.0.0.1}:${HTTPS_PORT:-443}:8443",
    ],
    "mail": ["127.0.0.1:8025:8025"],
    "grafana": ["127.0.0.1:3000:3000"],
    "paper": ["127.0.0.1:8026:8026"],
}
RUN_BY = {
    "ops": "tests/e2e/test_operating.py",
    "ops kafka-access": "tests/integration/stack/test_kafka_security.py",
    "ops ledger snapshot --keep": "tests/unit/ops/test_ledger_snapshot.py",
    "ops search-access": "tests/unit/ops/commands/test_search_access.py",
}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
KNOWN = variables(Settings) | {"TURNSTILE_SECRETS_DIR"}

Services = dict[str, dict[str, Any]]


def command_of(service: dict[str, Any]) -> str:
    return " ".join(str(word) for word in (*service.get("entrypoint", []), *service.get("command", [])))


def programs_of(service: dict[str, Any]) -> list[str]:
    """What ``python -m`` is told to run; of the operator's command with the subcommand, but for the tools' default."""
    text = command_of({**service, "command": []} if "entrypoint" in service else service)
    return [found.strip() for found in re.findall(r"-m ([a-z_. -]+)", text)]


def by_default(value: str) -> str:
    """A value as the engine reads it where the variables that it names are not set."""
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value)


def test_it_fits_the_compose_schema() -> None:
    outcome = check("compose-spec", COMPOSE)
    assert outcome.exit_code == 0, outcome.output


def test_the_schema_check_notices_a_wrong_file(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text().replace("    image: postgres", "    picture: postgres"))
    outcome = check("compose-spec", wrong)
    assert (outcome.exit_code, "picture" in outcome.output) == (1, True)


def test_every_service_has_a_health_check_or_runs_once(services: Services) -> None:
    assert {name for name, service in services.items() if "healthcheck" not in service} == ONE_SHOT


def test_what_stays_is_started_again_a_job_until_it_is_done_and_the_tools_never(services: Services) -> None:
    rules = {name: service["restart"] for name, service in services.items()}
    once = dict.fromkeys(JOBS, "on-failure") | {"tools": "no"}
    assert rules == dict.fromkeys(services, "unless-stopped") | once


def test_every_service_has_a_memory_limit(services: Services) -> None:
    assert [name for name, service in services.items() if "mem_limit" not in service] == []


def test_every_dependency_exists_and_is_waited_for_in_the_way_it_can_be(services: Services) -> None:
    for name, service in services.items():
        for needed, rule in service.get("depends_on", {}).items():
            assert needed in services, f"{name} needs {needed}"
            wanted = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
            assert rule["condition"] == wanted, f"{name} needs {needed}"


def needed_by(services: Services, name: str) -> set[str]:
    """All that has to be there before a service is started."""
    direct = set(services[name].get("depends_on", {}))
    return direct.union(*(needed_by(services, other) for other in direct))


@pytest.mark.parametrize("name", ["api", "exporter", *WORKERS])
def test_the_deployed_parts_wait_for_no_server_but_postgresql_and_the_tables(name: str, services: Services) -> None:
    assert needed_by(services, name) <= {"postgres", "bootstrap"}


def test_what_writes_to_postgresql_starts_when_the_tables_are_there(services: Services) -> None:
    for name in ("api", "sales", "gate", "payments", "capture"):
        assert "bootstrap" in services[name]["depends_on"]


def test_a_search_that_never_comes_up_keeps_nothing_but_itself_from_starting(services: Services) -> None:
    assert [name for name in services if "elasticsearch" in needed_by(services, name)] == []


def test_only_the_proxy_the_mails_and_grafana_are_published_and_only_on_this_host_unless_it_is_told_otherwise(
    services: Services,
) -> None:
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == PUBLISHED


def test_the_links_in_mails_lead_to_the_proxy(services: Services) -> None:
    for name in ("api", "notifications"):
        assert by_default(services[name]["environment"]["TURNSTILE_SITE_URL"]) == "https://127.0.0.1"


def test_what_is_not_published_has_no_way_out(compose: dict[str, Any], services: Services) -> None:
    internal = {name for name, network in compose["networks"].items() if network == {"internal": True}}
    assert set(compose["networks"]) - internal == {"outside"}
    assert {name for name, service in services.items() if "outside" in service["networks"]} == set(PUBLISHED)


def test_mails_grafana_zipkin_and_the_proxy_meet_neither_kafka_nor_connect(services: Services) -> None:
    networks = {name: set(service["networks"]) for name, service in services.items()}
    for apart in ("mail", "grafana", "zipkin", "proxy", "alertmanager", "node-exporter"):
        assert networks[apart].isdisjoint(networks["kafka"] | networks["connect"]), apart
    members = {
        each: {name for name, its in networks.items() if each in its} for each in set().union(*networks.values())
    }
    assert members["mail"] == {"mail", "api", "notifications", "tools", "alertmanager"}
    assert members["front"] == {"proxy", "api"}
    assert members["panels"] == {"prometheus", "grafana", "alertmanager", "node-exporter"}
    assert members["traces"] == {"zipkin", "grafana", "api", *WORKERS}
    assert set(OURS) < members["inside"]


def test_every_image_is_pinned_and_names_no_registry(services: Services) -> None:
    for name, service in services.items():
        image = service["image"]
        if "build" in service:
            assert image.startswith("turnstile-"), name
        else:
            assert re.fullmatch(r"([a-z]+/)?[a-z-]+:v?\d+\.\d+[\w.-]*", image), f"{name}: {image}"


def test_every_variable_of_ours_is_a_setting(services: Services) -> None:
    for name in OURS:
        environment = services[name]["environment"]
        unknown = {key for key in environment if key.startswith("TURNSTILE_")} - KNOWN
        assert not unknown, f"{name} sets {unknown}"
        assert environment["TURNSTILE_SECRETS_DIR"] == "/run/secrets"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a deployment's secrets."""
    folder = tmp_path_factory.mktemp("made")
    make_secrets(folder)
    return folder


@pytest.mark.parametrize("name", OURS)
def test_its_variables_and_secrets_together_are_settings_that_hold(
    name: str, services: Services, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for secret in services[name]["secrets"]:
        (given / secret["target"]).write_bytes((made / secret["source"]).read_bytes())
    for key, value in services[name]["environment"].items():
        monkeypatch.setenv(key, by_default(value))
    now = Settings(_secrets_dir=given)
    assert now.kafka_servers == "kafka:9092"
    assert len(now.ticket_key.get_secret_value()) >= 32
    if name in {"bootstrap", "capture", "api", "sales", "gate", "payments", "tools", "exporter"}:
        assert now.database_url.get_secret_value().startswith("postgresql://turnstile:")
    if name in {"api", "tools", "exporter", *WORKERS}:
        assert now.worker_tokens is not None
    if name in {"search-access", "api", "indexer", "tools"}:
        assert now.elasticsearch_password is not None


def test_every_secret_used_is_declared_and_every_secret_declared_is_made(
    compose: dict[str, Any], services: Services, tmp_path: Path
) -> None:
    used = {it if isinstance(it, str) else it["source"] for s in services.values() for it in s.get("secrets", [])}
    declared = compose["secrets"]
    assert used == set(declared)
    assert declared == {name: {"file": f"./secrets/{name}"} for name in make_secrets(tmp_path / "secrets")}


def test_a_secret_that_is_a_setting_has_its_name(services: Services) -> None:
    for name in OURS:
        targets = {secret["target"].upper() for secret in services[name]["secrets"]}
        # The tools look into Debezium's slots, with the file that Kafka Connect reads.
        known = KNOWN | {"CDC_PASSWORD"} if name == "tools" else KNOWN
        # That job reads the passwords of all principals, from files with their names.
        known |= {f"KAFKA_{principal.name.upper()}_PASSWORD" for principal in principals() if name == "kafka-access"}
        assert targets <= known, f"{name} mounts {targets - known}"


def test_each_service_gets_only_the_secrets_that_it_reads(services: Services) -> None:
    assert services["connect"]["secrets"] == ["cdc_password", "kafka_connect_password"]
    assert services["kafka"]["secrets"] == ["kafka_admin_password"]
    assert "cdc_password" not in str(services["api"]["secrets"])
    assert "elastic_password" not in str([services[name]["secrets"] for name in ("api", *WORKERS)])
    assert [name for name, service in services.items() if "token_key" in str(service.get("secrets"))] == ["api"]
    signing_links = {name for name, service in services.items() if "link_key" in str(service.get("secrets"))}
    assert signing_links == {"api", "notifications"}


def test_each_part_signs_in_to_kafka_as_itself(services: Services) -> None:
    users = {name: services[name]["environment"].get("TURNSTILE_KAFKA_USER") for name in OURS}
    roles = {name: services[name]["environment"]["TURNSTILE_ROLE"] for name in WORKERS}
    administrators = dict.fromkeys(("kafka-access", "capture"), "admin")
    others = {"api": "api", "exporter": "exporter", "bootstrap": None, "search-access": None}
    others |= dict.fromkeys(("tools", "ledger-backup"), "operator")
    assert users == roles | administrators | others
    for name, user in users.items():
        sources = {one["source"] for one in services[name]["secrets"] if one["target"] == "turnstile_kafka_password"}
        assert sources == ({f"kafka_{user}_password"} if user else set()), name
    elsewhere = {"connect", "reader"}
    assert {user for user in users.values() if user} | elsewhere == {"admin", *(it.name for it in principals(()))}


def test_the_job_that_makes_the_users_has_all_their_passwords(services: Services) -> None:
    mounted = {secret["target"] for secret in services["kafka-access"]["secrets"]}
    assert {f"kafka_{principal.name}_password" for principal in principals()} <= mounted
    assert services["connect"]["depends_on"] == {"kafka-access": {"condition": "service_completed_successfully"}}


def test_the_broker_is_configured_like_the_secured_one_of_the_embedded_stack(services: Services) -> None:
    environment = services["kafka"]["environment"]
    told = {server_property(name): by_the_engine(value) for name, value in environment.items()}
    embedded = broker_properties(StackSettings(home=Path("/run/secrets"), kafka_security=True))
    wanted = {
        name: str(value).replace("/run/secrets/secrets/broker", "/run/secrets") for name, value in embedded.items()
    }
    internal = {name.replace("controller", "internal"): value for name, value in wanted.items() if "name.con" in name}
    assert told.items() >= (wanted | internal).items()
    protocols = dict(each.split(":") for each in told["listener.security.protocol.map"].split(","))
    addresses = dict(each.split("://") for each in told["listeners"].split(","))
    assert protocols == dict.fromkeys(addresses, "SASL_PLAINTEXT")
    # The listener of the parts is the only one that other containers reach.
    assert [name for name, address in addresses.items() if not address.startswith("127.0.0.1:")] == ["CLIENTS"]


def server_property(name: str) -> str:
    """The broker's setting that the image makes of a variable."""
    return name.removeprefix("KAFKA_").lower().replace("_", ".").replace("...", "-").replace("..", "_")


def by_the_engine(value: str) -> str:
    return str(value).replace("$$", "$")


def test_its_first_lines_say_what_one_broker_means() -> None:
    assert "IF ITS DISK IS LOST, SALES ARE LOST" in "".join(COMPOSE.read_text().splitlines()[:2])


def test_secrets_are_kept_out_of_the_repository() -> None:
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_no_secret_stands_in_it(services: Services) -> None:
    for name, service in services.items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|_KEY$|_URL$", key):
                assert by_default(str(value)).startswith(("/run/secrets", "http://", "https://")), f"{name}: {key}"
            assert not re.search(r"://[^/]*:[^/]*@", str(value)), f"{name}: {key} has a password in an address"
    words = re.findall(r"[A-Za-z0-9_+=-]{20,}", COMPOSE.read_text())
    assert [word for word in words if entropy(word) > 4.3] == []


def entropy(word: str) -> float:
    shares = [word.count(letter) / len(word) for letter in set(word)]
    return -sum(share * math.log2(share) for share in shares)


def test_the_measure_of_secrecy_tells_a_secret_from_a_name() -> None:
    assert entropy("wK3_vQ9tZ7mXb2LrN5sYh8DfGj4PcA6eU1oTiRkWqEz") > 4.3
    assert entropy("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR") < 4.3


def test_every_file_that_it_mounts_exists(services: Services) -> None:
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source[0] in "./":
                assert (ROOT / source).exists(), f"{name}: {source}"
                assert volume.endswith(":ro"), f"{name}: {source}"


def test_every_volume_of_our_image_is_a_folder_that_its_user_may_write_to(services: Services) -> None:
    """A new volume gets its owner from the image's folder; where the image has none, it is root's."""
    [made] = re.findall(r"install --directory --owner=turnstile .* --mode=0700 (.*?) *$", DOCKERFILE, re.MULTILINE)
    ours = {
        name: one["volumes"] for name, one in services.items() if one["image"] == "turnstile-app" and "volumes" in one
    }
    assert {"paper", "tools", "ledger-backup", *WORKERS} == set(ours)
    for name, volumes in ours.items():
        assert {volume.split(":")[1] for volume in volumes} <= set(made.split()), name


def test_paper_keeps_its_books_in_its_volume(services: Services) -> None:
    [volume] = services["paper"]["volumes"]
    assert services["paper"]["command"][3] == volume.split(":")[1]


def test_every_volume_is_declared_and_used(compose: dict[str, Any], services: Services) -> None:
    used = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert {name for name in used if name[0] not in "./"} == set(compose["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_every_module_that_it_runs_can_be_run(name: str, services: Services) -> None:
    programs = programs_of(services[name])
    assert programs
    for module in (program.partition(" ")[0] for program in programs):
        package = importlib.util.find_spec(f"{module}.__main__") if (ROOT / module).is_dir() else None
        assert package or importlib.util.find_spec(module), f"{name} runs {module}"


def test_every_command_that_it_runs_is_run_by_a_test(services: Services, tmp_path: Path) -> None:
    here = StackSettings(home=tmp_path)
    embedded = {" ".join(member.command().argv[2:]) for member in (*steps(here), *apps(here))}
    for program in {program for name in OURS for program in programs_of(services[name])} - embedded:
        started = ", ".join(f'"{word}"' for word in ("-m", *program.split()))
        forked = rf'run_forked\([^"]*"{program.removeprefix("ops ")}\b'
        text = (ROOT / RUN_BY[program]).read_text()
        assert started in text or re.search(forked, text), program


def test_the_jobs_are_small_so_that_one_that_fails_holds_up_no_other(services: Services) -> None:
    assert {name: programs_of(services[name]) for name in JOBS} == {
        "bootstrap": ["migrations", "ops administrator"],
        "kafka-access": ["ops kafka-access"],
        "capture": ["connect"],
        "search-access": ["ops search-access"],
    }


def test_the_tools_and_more_workers_start_only_when_they_are_asked_for(services: Services) -> None:
    profiles = {name: service["profiles"] for name, service in services.items() if "profiles" in service}
    assert profiles == {"tools": ["tools"]} | {name: ["scale"] for name in SCALED}


def test_every_worker_of_a_role_has_a_name_and_a_folder_of_its_own(services: Services) -> None:
    for role in get_args(Role):
        mates = [services[name] for name in WORKERS if services[name]["environment"]["TURNSTILE_ROLE"] == role]
        names = [one["environment"].get("TURNSTILE_WORKER_ID", "worker-0") for one in mates]
        assert len(set(names)) == len(names)
        assert len({one["volumes"][0] for one in mates}) == len(mates)


def test_other_workers_reach_a_worker_under_its_services_name(services: Services) -> None:
    for name in WORKERS:
        assert services[name]["environment"]["TURNSTILE_WORKER_HOST"] == name


def test_every_role_of_a_worker_has_a_service(services: Services) -> None:
    roles = {name: services[name]["environment"]["TURNSTILE_ROLE"] for name in WORKERS}
    assert roles == {role: role for role in get_args(Role)} | dict.fromkeys(SCALED, "ledger")


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("api", "API", "/health/live"),
        ("exporter", "EXPORTER", "/metrics"),
        *((name, "WORKER", "/health/ready") for name in WORKERS),
    ],
)
def test_a_health_check_asks_where_the_service_listens(name: str, kind: str, path: str, services: Services) -> None:
    script = services[name]["healthcheck"]["test"][-1]
    port = services[name]["environment"][f"TURNSTILE_{kind}_PORT"]
    assert f"http://127.0.0.1:{port}{path}" in script
    compile(script, f"health check of {name}", "exec")


def test_what_one_service_calls_another_is_a_service(services: Services) -> None:
    for name in OURS:
        hosts = re.findall(r"(?:https?://)?([a-z-]+):\d+", " ".join(services[name]["environment"].values()))
        assert hosts
        assert set(hosts) <= set(services), name


def test_our_containers_have_no_privileges_and_nobodys_gets_more(services: Services) -> None:
    for name in OURS:
        assert services[name]["read_only"] is True, name
        assert services[name]["cap_drop"] == ["ALL"], name
    for name, service in services.items():
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_no_log_fills_the_disk(services: Services) -> None:
    assert [name for name, service in services.items() if service["logging"] != {"driver": "local"}] == []


@pytest.mark.parametrize("name", ["postgres", "kafka", "elasticsearch"])
def test_what_keeps_data_has_time_to_close_it(name: str, services: Services) -> None:
    assert services[name]["stop_grace_period"] == "60s"


def test_kafkas_health_check_fits_beside_the_broker(services: Services) -> None:
    kafka = services["kafka"]
    broker = int(re.findall(r"-Xmx(\d+)m", kafka["environment"]["KAFKA_HEAP_OPTS"])[0])
    [check] = [word for word in kafka["healthcheck"]["test"] if word.startswith("KAFKA_HEAP_OPTS=")]
    assert int(check.removeprefix("KAFKA_HEAP_OPTS=-Xmx").removesuffix("m")) + broker < 0.6 * 1024
    assert kafka["mem_limit"] == "1g"
    assert "KAFKA_OPTS=" in kafka["healthcheck"]["test"]


def test_every_target_of_prometheus_is_a_service_on_its_port(services: Services) -> None:
    jobs = read_yaml((ROOT / "ops" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    named = {target for job in jobs for some in job.get("static_configs", ()) for target in some["targets"]}
    looked_up = [some for job in jobs for some in job.get("dns_sd_configs", ())]
    named |= {f"{name}:{some['port']}" for some in looked_up for name in some["names"]}
    # A static target of several instances would be any one of them, another at each time.
    assert {"api", *SCALED} <= {name for some in looked_up for name in some["names"]}
    told = {name: service.get("environment", {}) for name, service in services.items()}
    agents = {f"{name}:9404" for name in ("kafka", "connect") if "=9404:" in told[name]["KAFKA_OPTS"]}
    agents |= {"kafka-2:9404", "kafka-3:9404"}  # of compose.cluster.yml
    workers = {f"{name}:{told[name]['TURNSTILE_WORKER_PORT']}" for name in WORKERS}
    api, exporter = told["api"]["TURNSTILE_API_METRICS_PORT"], told["exporter"]["TURNSTILE_EXPORTER_PORT"]
    assert named == agents | workers | {f"api:{api}", f"exporter:{exporter}"} | {
        "node-exporter:9100",
        "alertmanager:9093",
    }

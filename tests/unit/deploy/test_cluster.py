"""Three brokers, the mail relay and the networks of compose.cluster.yml."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.secrets import make_secrets
from settings import Settings
from stack.kafka import Kafka
from stack.kafka_connect import KafkaConnect
from stack.settings import StackSettings
from tests.golang import program
from tests.settings_names import variables
from tests.unit.deploy.conftest import FILES
from tests.unit.deploy.conftest import variables as variables_of

ROOT = Path(__file__).parents[3]
BROKERS = ("kafka", "kafka-2", "kafka-3")
SERVERS = "kafka:9092,kafka-2:9092,kafka-3:9092"
MAILING = ("api", "notifications", "tools")
OTHERS = (
    "bootstrap",
    "kafka-access",
    "capture",
    "search-access",
    "exporter",
    "ledger-backup",
    "ledger",
    "ledger-1",
    "ledger-2",
)
OURS = (*MAILING, *OTHERS, "indexer", "sales", "gate", "payments")
REPLICATED = (
    "default.replication.factor",
    "min.insync.replicas",
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "transaction.state.log.min.isr",
    "share.coordinator.state.topic.replication.factor",
    "share.coordinator.state.topic.min.isr",
)

Services = dict[str, dict[str, Any]]


@pytest.mark.parametrize(
    ("files", "profiles"),
    [(FILES[:1], {"scale", "tools"}), (FILES, {"scale", "tools", "catcher"})],
    ids=["one broker", "three brokers"],
)
def test_docker_compose_reads_it_with_the_variables_that_the_documentation_names(
    files: tuple[str, ...], profiles: set[str], tmp_path: Path
) -> None:
    [told] = re.findall(r"cat > \.env <<END\n(.*?)END", (ROOT / "docs" / "deployment.md").read_text(), re.DOTALL)
    named = dict(re.findall(r"^(\w+)=(.*)$", told, re.MULTILINE))
    for file in files:
        # The loader has no variables. It fails at one that has no default and is not named.
        text = re.sub(r"\$\{(\w+):[^}]*\}", lambda one: named.get(one[1], one[0]), (ROOT / file).read_text())
        (tmp_path / file).write_text(text)
    command = (program("compose-go"), "-format", "json", *files)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert {profile for service in services.values() for profile in service.get("profiles") or ()} == profiles
    mailing = variables_of(services["api"])
    assert mailing["TURNSTILE_SMTP_HOST"] == ("mail" if len(files) == 1 else "smtp.example")
    assert mailing["TURNSTILE_SITE_URL"] == "https://tickets.example"


def test_the_brokers_differ_by_their_names_and_disks_alone(services: Services) -> None:
    seen = {
        re.sub(r"kafka-\d|broker-\d|'KAFKA_NODE_ID': '\d'", "one", str(services[name])).replace("//kafka:", "//one:")
        for name in BROKERS[1:]
    }
    assert len(seen) == 1
    disks = [volume["source"] for name in BROKERS for volume in services[name]["volumes"] if volume["type"] == "volume"]
    assert disks == list(BROKERS)
    first, second = (services[name]["environment"] for name in BROKERS[:2])
    own = {"KAFKA_NODE_ID", "KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS"}
    assert {key: first[key] for key in first.keys() - own} == {key: second[key] for key in second.keys() - own}


def test_they_keep_three_copies_as_three_embedded_ones_do(services: Services, tmp_path: Path) -> None:
    embedded = Kafka(StackSettings(home=tmp_path, brokers=3))._configuration()
    for name in BROKERS:
        environment = services[name]["environment"]
        told = {key: environment[f"KAFKA_{key.upper().replace('.', '_')}"] for key in REPLICATED}
        assert told == {key: str(embedded[key]) for key in REPLICATED}


def test_each_is_a_voter_under_the_name_that_it_has_among_brokers(services: Services) -> None:
    for number, name in enumerate(BROKERS, 1):
        told = services[name]["environment"]
        assert told["KAFKA_NODE_ID"] == str(number)
        assert told["KAFKA_CONTROLLER_QUORUM_VOTERS"] == "1@broker-1:9093,2@broker-2:9093,3@broker-3:9093"
        own = f"CONTROLLER://broker-{number}:9093,INTERNAL://broker-{number}:9094"
        assert told["KAFKA_LISTENERS"] == f"CLIENTS://:9092,{own}"
        advertised = f"CLIENTS://{name}:9092,INTERNAL://broker-{number}:9094"
        assert told["KAFKA_ADVERTISED_LISTENERS"] == advertised
        assert services[name]["networks"]["brokers"] == {"aliases": [f"broker-{number}"]}
        assert f"--bootstrap-server={name}:9092" in services[name]["healthcheck"]["test"]
    assert [name for name, service in services.items() if "brokers" in service["networks"]] == list(BROKERS)


def test_users_and_rights_are_those_of_one_broker(services: Services) -> None:
    for name in BROKERS:
        told = services[name]["environment"]
        assert told["KAFKA_AUTHORIZER_CLASS_NAME"].endswith("StandardAuthorizer")
        protocols = dict(each.split(":") for each in told["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
        assert set(protocols.values()) == {"SASL_PLAINTEXT"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a deployment's secrets, with the one that the relay has given."""
    folder = tmp_path_factory.mktemp("made")
    make_secrets(folder)
    (folder / "smtp_password").write_text("word")
    return folder


@pytest.mark.parametrize("name", OURS)
def test_every_part_knows_all_brokers_and_asks_for_three_copies(
    name: str, services: Services, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "given").mkdir()
    for secret in services[name]["secrets"]:
        (tmp_path / "given" / secret["target"]).write_bytes((made / secret["source"]).read_bytes())
    environment = services[name]["environment"]
    known = variables(Settings) | {"TURNSTILE_SECRETS_DIR", "TMPDIR"}
    assert set(environment) <= known
    for key, value in environment.items():
        monkeypatch.setenv(key, value if key != "TURNSTILE_MAIL_FROM" else "tickets@relay.example")
    now = Settings(_secrets_dir=tmp_path / "given")
    assert (now.kafka_servers, now.replication_factor, now.min_insync_replicas) == (SERVERS, 3, 2)
    if name in MAILING:
        assert (now.smtp_host, now.smtp_port, now.smtp_tls) == ("relay.example", 587, True)
        assert now.smtp_password is not None


def test_the_catcher_of_mails_starts_for_developers_alone(services: Services) -> None:
    assert services["mail"]["profiles"] == ["catcher"]


def test_what_makes_topics_and_users_waits_for_all_brokers(services: Services) -> None:
    for name in ("kafka-access", "capture"):
        waited = services[name]["depends_on"]
        assert {broker: waited[broker]["condition"] for broker in BROKERS} == dict.fromkeys(BROKERS, "service_healthy")


def test_kafka_connect_keeps_three_copies_too(services: Services, tmp_path: Path) -> None:
    [shell, option, script] = services["connect"]["command"]
    script = script.replace("$$", "$").replace("/tmp", str(tmp_path))
    edit, _, start = script.replace("/opt/connect", str(ROOT / "ops" / "connect")).partition(" && exec ")
    subprocess.run((shell, option, edit), check=True)
    assert start == f"/opt/kafka/bin/connect-distributed.sh {tmp_path}/worker.properties"
    told = dict(re.findall(r"^([\w.]+)=(.*)$", (tmp_path / "worker.properties").read_text(), re.MULTILINE))
    assert told["bootstrap.servers"] == SERVERS
    embedded = KafkaConnect(StackSettings(home=tmp_path, brokers=3))._configuration()
    copies = [key for key in embedded if key.endswith("replication.factor")]
    assert len(copies) == 3
    assert {key: told[key] for key in copies} == {key: str(embedded[key]) for key in copies}


def test_only_those_who_need_kafka_meet_it(cluster: dict[str, Any], services: Services) -> None:
    meet_kafka = {name for name, service in services.items() if "inside" in service["networks"]}
    assert meet_kafka == {*BROKERS, *OURS, "connect", "postgres", "database-backup", "elasticsearch", "prometheus"}
    with_a_way_out = {name for name, network in cluster["networks"].items() if not network.get("internal")}
    assert with_a_way_out == {"outside", "relay"}
    assert {name for name, service in services.items() if "relay" in service["networks"]} == {*MAILING, "alertmanager"}


def test_what_is_published_is_what_one_host_publishes(services: Services) -> None:
    assert {name for name, service in services.items() if service.get("ports")} == {"proxy", "mail", "grafana", "paper"}

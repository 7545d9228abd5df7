"""The examples for the operators of Kafka, PostgreSQL and Elasticsearch, compared with code and chart."""

import re
from pathlib import Path
from typing import Any

import pytest

from connect.access.principals import CONNECT_GROUP, CONNECT_TOPICS
from ops.secrets import make_secrets
from stack import jars
from stack.kafka import Kafka
from stack.settings import StackSettings
from tests.unit.deploy.strimzi import EXAMPLES, files
from tests.yaml_files import read_documents, read_yaml

ROOT = Path(__file__).parents[3]
VALUES = read_yaml((ROOT / "deploy" / "helm" / "values.yaml").read_text())
# What the operator sets itself, of this cluster and its user.
BY_STRIMZI = re.compile(
    r"(bootstrap|group|listeners|rest|plugin|security|sasl|producer|consumer|admin)\b|(config|offset|status)\.storage\.topic"
)


def example(name: str) -> list[dict[str, Any]]:
    return read_documents((EXAMPLES / name).read_text())


@pytest.mark.parametrize("name", files())
def test_topics_and_users_are_those_of_the_code(name: str) -> None:
    assert (EXAMPLES / name).read_text() == files()[name], "run `make strimzi`"


@pytest.mark.parametrize("name", files())
def test_every_resource_has_a_name_of_its_own_that_kubernetes_takes(name: str) -> None:
    names = [each["metadata"]["name"] for each in example(name)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", each) for each in names)


def test_the_password_of_every_user_is_one_that_make_secrets_makes(tmp_path: Path) -> None:
    made = make_secrets(tmp_path / "secrets")
    for user in example("strimzi-users.yaml"):
        source = user["spec"]["authentication"]["password"]["valueFrom"]["secretKeyRef"]
        assert source["name"] == VALUES["secret"]
        assert source["key"] in made


def test_the_brokers_keep_three_copies_as_three_embedded_ones_do(tmp_path: Path) -> None:
    pool, kafka = example("strimzi-kafka.yaml")
    assert pool["spec"]["replicas"] == 3
    embedded = Kafka(StackSettings(home=tmp_path, brokers=3))._configuration()
    told = kafka["spec"]["kafka"]["config"]
    assert {key: str(value).lower() for key, value in told.items()} == {key: str(embedded[key]) for key in told}
    assert {"default.replication.factor", "min.insync.replicas", "offsets.topic.replication.factor"} <= set(told)
    [listener] = kafka["spec"]["kafka"]["listeners"]
    assert (listener["tls"], listener["authentication"]) == (True, {"type": "scram-sha-512"})
    assert f"{kafka['metadata']['name']}-kafka-bootstrap:{listener['port']}" == VALUES["settings"]["kafka_servers"]


def test_kafka_connect_is_configured_like_that_of_the_containers() -> None:
    [connect] = example("strimzi-connect.yaml")
    spec = connect["spec"]
    lines = (ROOT / "ops" / "connect" / "worker.properties").read_text()
    wanted = {
        key: value for key, value in re.findall(r"^([\w.]+)=(.*)$", lines, re.MULTILINE) if not BY_STRIMZI.match(key)
    }
    folder = VALUES["settings"]["connect_secrets_dir"]
    wanted |= {"config.providers.directory.param.allowed.paths": folder}
    wanted |= {key: "3" for key in wanted if key.endswith("replication.factor")}
    assert {
        key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in spec["config"].items()
    } == wanted
    storage = (spec["configStorageTopic"], spec["offsetStorageTopic"], spec["statusStorageTopic"])
    assert (spec["groupId"], storage) == (CONNECT_GROUP, CONNECT_TOPICS)
    assert spec["bootstrapServers"] == VALUES["settings"]["kafka_servers"]
    [mount] = spec["template"]["connectContainer"]["volumeMounts"]
    assert mount["mountPath"] == folder
    assert VALUES["settings"]["connect_url"] == f"http://{connect['metadata']['name']}-connect-api:8083"


def test_debezium_is_that_of_the_embedded_stack() -> None:
    [connect] = example("strimzi-connect.yaml")
    [artifact] = connect["spec"]["build"]["plugins"][0]["artifacts"]
    [jar] = [each for each in jars.locked("debezium") if each.artifact == artifact["artifact"]]
    assert artifact["version"] == jar.version


def test_elasticsearch_is_that_of_the_containers() -> None:
    [search] = example("eck.yaml")
    services = read_yaml((ROOT / "docker-compose.yml").read_text())["services"]
    assert services["elasticsearch"]["image"] == f"elasticsearch:{search['spec']['version']}"
    assert VALUES["settings"]["elasticsearch_url"] == f"https://{search['metadata']['name']}-es-http:9200"


def test_postgresql_is_configured_like_that_of_the_containers() -> None:
    [cluster] = example("cloudnativepg.yaml")
    told = cluster["spec"]["postgresql"]["parameters"]
    command = read_yaml((ROOT / "docker-compose.yml").read_text())["services"]["postgres"]["command"]
    wanted = dict(each.split("=") for each in command if "=" in each)
    assert {key: told[key] for key in wanted} == wanted
    assert VALUES["settings"]["connect_database_host"] == f"{cluster['metadata']['name']}-rw"
    [cdc] = cluster["spec"]["managed"]["roles"]
    initdb = cluster["spec"]["bootstrap"]["initdb"]
    roles = (ROOT / "ops" / "postgres" / "roles.sql").read_text()
    rights = re.findall(r"^((?:REVOKE|GRANT) .+);$", roles, re.MULTILINE)
    # Managed roles are made later; `postInitSQL` would run before the database is there.
    assert initdb["postInitApplicationSQL"] == [f"CREATE ROLE {cdc['name']}", *rights]
    assert "postInitSQL" not in initdb
    assert (cdc["name"], cdc["replication"]) == ("turnstile_cdc", True)

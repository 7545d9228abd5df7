"""Topics are made from the catalogue, any number of times; one that differs where it matters is an error.

Kafka makes no topic by itself here: a name that the catalogue lacks can't be written to.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from connect.errors import ServerMissing, TopicMismatch, TopicRefused
from connect.polling import Patience
from connect.topics import COMMANDS, RECORD_MAX_BYTES, Topic
from settings import Settings

CHECKED: Final = ("cleanup.policy", "message.timestamp.type")
IN_SYNC: Final = "min.insync.replicas"
# A replica that lacks acknowledged records must never become the leader: its partition's log would lose them.
UNCLEAN: Final = "unclean.leader.election.enable"
RETENTION_MS: Final = "retention.ms"
BATCH_BYTES: Final = "max.message.bytes"
SPREAD_S: Final = 10.0
SPREAD_PAUSE_S: Final = 0.1


class Admin(Protocol):
    """What is asked of Kafka's admin client."""

    def list_topics(self) -> list[str]: ...
    def create_topics(self, new_topics: dict[str, Any], *, raise_errors: bool) -> dict[str, Any]: ...
    def wait_for_topics(self, topic_names: list[str]) -> None: ...
    def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]: ...
    def describe_configs(self, config_resources: list[Any], *, config_filter: str) -> dict[str, Any]: ...
    def alter_configs(self, config_resources: list[Any]) -> Any: ...
    def close(self) -> None: ...


def open_admin(settings: Settings, client: Callable[..., Admin] = KafkaAdminClient) -> Admin:
    """Kafka's admin client as soon as Kafka answers. Raises ServerMissing."""
    seconds = settings.bootstrap_seconds
    try:
        return client(bootstrap_servers=settings.kafka_servers.split(","), bootstrap_timeout_ms=seconds * 1000)
    except KafkaError as error:
        where = f"{settings.kafka_servers} (TURNSTILE_KAFKA_SERVERS)"
        raise ServerMissing(f"Kafka does not answer within {seconds} s at {where}: {error}") from error


def provision(admin: Admin, topics: Sequence[Topic], settings: Settings) -> list[str]:
    """Make the topics that are missing, check all, and return the names of those made."""
    there = set(admin.list_topics())
    made = _create(admin, {topic.name: wanted(topic, settings) for topic in topics if topic.name not in there})
    admin.wait_for_topics([topic.name for topic in topics])
    configs = _configs(admin, topics)
    _check(admin, topics, settings, configs)
    _put_right(admin, topics, settings, configs)
    return made


def wanted(topic: Topic, settings: Settings) -> dict[str, Any]:
    """A topic as Kafka is asked for it."""
    return {
        "num_partitions": topic.partitions or settings.partitions,
        "replication_factor": settings.replication_factor,
        "configs": {BATCH_BYTES: str(RECORD_MAX_BYTES)} | topic.config | _guarded(settings),
    }


def _create(admin: Admin, missing: dict[str, Any]) -> list[str]:
    if not missing:
        return []
    made = []
    for result in admin.create_topics(missing, raise_errors=False)["topics"]:
        error = for_code(result["error_code"])
        if result["error_code"] == 0:
            made.append(result["name"])
        elif error is not TopicAlreadyExistsError:
            reason = result.get("error_message") or error.__name__
            raise TopicRefused(f"topic {result['name']} can't be made: {reason}")
    return made


def _configs(admin: Admin, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    found = admin.describe_configs(resources, config_filter="all")["topic"]
    return {name: {key: entry["value"] for key, entry in config.items()} for name, config in found.items()}


def _check(admin: Admin, topics: Sequence[Topic], settings: Settings, configs: dict[str, dict[str, str]]) -> None:
    found = _partitions(admin, [topic.name for topic in topics])
    problems = [
        f"topic {topic.name}: {what} is {has}, should be {should}"
        for topic in topics
        for what, has, should in _differences(topic, settings, found[topic.name], configs[topic.name])
    ]
    if problems:
        raise TopicMismatch("\n".join(problems))


def _partitions(admin: Admin, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The partitions of every topic. A broker knows a topic's name a moment before it knows its partitions."""
    patience = Patience(SPREAD_S, SPREAD_PAUSE_S)
    while True:
        found = {entry["name"]: entry["partitions"] for entry in admin.describe_topics(names)}
        missing = [name for name in names if not found.get(name)]
        if not missing:
            return found
        if not patience.left:
            raise ServerMissing(f"Kafka tells no partitions of {', '.join(missing)} within {patience.seconds:g} s")
        patience.wait()


def _differences(
    topic: Topic, settings: Settings, partitions: list[dict[str, Any]], config: dict[str, str]
) -> list[tuple[str, str, str]]:
    should = wanted(topic, settings)
    replicas = min(len(partition["replica_nodes"]) for partition in partitions)
    figures = [
        ("the number of partitions", str(len(partitions)), str(should["num_partitions"])),
        ("the replication factor", str(replicas), str(should["replication_factor"])),
        *((name, config[name], topic.config[name]) for name in CHECKED if name in topic.config),
    ]
    return [figure for figure in figures if figure[1] != figure[2]]


def _guarded(settings: Settings) -> dict[str, str]:
    """What every topic is set to so that no acknowledged record is lost."""
    return {IN_SYNC: str(settings.min_insync_replicas), UNCLEAN: "false"}


def _put_right(admin: Admin, topics: Sequence[Topic], settings: Settings, configs: dict[str, dict[str, str]]) -> None:
    """Alter the settings of existing topics that may change while they are in use."""
    changes = [
        ConfigResource(ConfigResourceType.TOPIC, topic.name, changed)
        for topic in topics
        if (changed := _changed(topic, settings, configs[topic.name]))
    ]
    if changes:
        admin.alter_configs(changes)


def _changed(topic: Topic, settings: Settings, config: dict[str, str]) -> dict[str, str]:
    changed = {name: should for name, should in _guarded(settings).items() if config[name] != should}
    if topic.name == COMMANDS and 0 <= int(config[RETENTION_MS]) < int(topic.config[RETENTION_MS]):
        changed[RETENTION_MS] = topic.config[RETENTION_MS]
    largest = wanted(topic, settings)["configs"][BATCH_BYTES]
    if int(config[BATCH_BYTES]) < int(largest):
        changed[BATCH_BYTES] = largest
    return changed

"""Creates the topics of connect/topics.py, idempotently; a topic that differs where it matters is an error.

Kafka's automatic creation of topics is off, so nobody can write to an undefined topic.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from connect.client_options import client_options
from connect.errors import ServerMissing, TopicMismatch, TopicRefused
from connect.polling import Polling
from connect.topics import COMMANDS, RECORD_MAX_BYTES, Topic, has_right_number
from settings import Settings

CHECKED_CONFIGS: Final = ("cleanup.policy", "message.timestamp.type")
MIN_IN_SYNC: Final = "min.insync.replicas"
# A replica out of sync must never become the leader: acknowledged records would be lost.
UNCLEAN_ELECTION: Final = "unclean.leader.election.enable"
RETENTION: Final = "retention.ms"
MAX_BATCH_SIZE: Final = "max.message.bytes"
METADATA_TIMEOUT_S: Final = 10.0
METADATA_PAUSE_S: Final = 0.1


class KafkaAdmin(Protocol):
    """Kafka's admin client, as far as provisioning needs it."""

    def list_topics(self) -> list[str]: ...
    def create_topics(self, new_topics: dict[str, Any], *, raise_errors: bool) -> dict[str, Any]: ...
    def wait_for_topics(self, topic_names: list[str]) -> None: ...
    def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]: ...
    def describe_configs(self, config_resources: list[Any], *, config_filter: str) -> dict[str, Any]: ...
    def alter_configs(self, config_resources: list[Any]) -> Any: ...
    def close(self) -> None: ...


def open_admin(settings: Settings, client: Callable[..., KafkaAdmin] = KafkaAdminClient) -> KafkaAdmin:
    """An admin client, once Kafka answers. Raises ServerMissing."""
    seconds = settings.bootstrap_seconds
    try:
        return client(**client_options(settings), bootstrap_timeout_ms=seconds * 1000)
    except KafkaError as error:
        where = f"{settings.kafka_servers} (TURNSTILE_KAFKA_SERVERS)"
        raise ServerMissing(f"Kafka does not answer within {seconds} s at {where}: {error}") from error


def provision(admin: KafkaAdmin, topics: Sequence[Topic], settings: Settings) -> list[str]:
    """Create the missing topics, check all, and return the names of those created."""
    existing = set(admin.list_topics())
    missing = {topic.name: topic_request(topic, settings) for topic in topics if topic.name not in existing}
    made = _create(admin, missing)
    admin.wait_for_topics([topic.name for topic in topics])
    configs = _configs(admin, topics)
    _check(admin, topics, settings, configs)
    _alter(admin, topics, settings, configs)
    return made


def topic_request(topic: Topic, settings: Settings) -> dict[str, Any]:
    """The request to create a topic."""
    return {
        "num_partitions": topic.made_with(settings.partitions),
        "replication_factor": settings.replication_factor,
        "configs": {MAX_BATCH_SIZE: str(RECORD_MAX_BYTES)} | topic.config | _durability(settings),
    }


def _create(admin: KafkaAdmin, missing: dict[str, Any]) -> list[str]:
    if not missing:
        return []
    made = []
    for result in admin.create_topics(missing, raise_errors=False)["topics"]:
        error = for_code(result["error_code"])
        if result["error_code"] == 0:
            made.append(result["name"])
        elif error is not TopicAlreadyExistsError:
            reason = result.get("error_message") or error.__name__
            raise TopicRefused(f"topic {result['name']} can't be created: {reason}")
    return made


def _configs(admin: KafkaAdmin, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    found = admin.describe_configs(resources, config_filter="all")["topic"]
    return {name: {key: entry["value"] for key, entry in config.items()} for name, config in found.items()}


def _check(admin: KafkaAdmin, topics: Sequence[Topic], settings: Settings, configs: dict[str, dict[str, str]]) -> None:
    found = _partitions(admin, [topic.name for topic in topics])
    counts = {name: len(partitions) for name, partitions in found.items()}
    problems = [
        f"topic {topic.name}: the number of partitions is {counts[topic.name]}, should be "
        f"{topic.made_with(settings.partitions)}; see Partitions were added in docs/operations.md"
        for topic in topics
        if not has_right_number(topic, counts, settings.partitions)
    ]
    problems += [
        f"topic {topic.name}: {what} is {has}, should be {should}"
        for topic in topics
        for what, has, should in _differences(topic, settings, found[topic.name], configs[topic.name])
    ]
    if problems:
        raise TopicMismatch("\n".join(problems))


def _partitions(admin: KafkaAdmin, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The partitions of every topic. A broker lists a new topic a moment before it knows its partitions."""
    polling = Polling(METADATA_TIMEOUT_S, METADATA_PAUSE_S)
    while True:
        found = {entry["name"]: entry["partitions"] for entry in admin.describe_topics(names)}
        missing = [name for name in names if not found.get(name)]
        if not missing:
            return found
        if not polling.left:
            raise ServerMissing(f"Kafka has no partitions of {', '.join(missing)} after {polling.seconds:g} s")
        polling.wait()


def _differences(
    topic: Topic, settings: Settings, partitions: list[dict[str, Any]], config: dict[str, str]
) -> list[tuple[str, str, str]]:
    should = topic_request(topic, settings)
    replicas = min(len(partition["replica_nodes"]) for partition in partitions)
    compared = [
        ("the replication factor", str(replicas), str(should["replication_factor"])),
        *((name, config[name], topic.config[name]) for name in CHECKED_CONFIGS if name in topic.config),
    ]
    return [each for each in compared if each[1] != each[2]]


def _durability(settings: Settings) -> dict[str, str]:
    """The settings of every topic that protect acknowledged records from loss."""
    return {MIN_IN_SYNC: str(settings.min_insync_replicas), UNCLEAN_ELECTION: "false"}


def _alter(admin: KafkaAdmin, topics: Sequence[Topic], settings: Settings, configs: dict[str, dict[str, str]]) -> None:
    """Alter the settings that can change while a topic is in use."""
    changes = [
        ConfigResource(ConfigResourceType.TOPIC, topic.name, changed)
        for topic in topics
        if (changed := _changed(topic, settings, configs[topic.name]))
    ]
    if changes:
        admin.alter_configs(changes)


def _changed(topic: Topic, settings: Settings, config: dict[str, str]) -> dict[str, str]:
    changed = {name: should for name, should in _durability(settings).items() if config[name] != should}
    if topic.name == COMMANDS and 0 <= int(config[RETENTION]) < int(topic.config[RETENTION]):
        changed[RETENTION] = topic.config[RETENTION]
    largest = topic_request(topic, settings)["configs"][MAX_BATCH_SIZE]
    if int(config[MAX_BATCH_SIZE]) < int(largest):
        changed[MAX_BATCH_SIZE] = largest
    return changed

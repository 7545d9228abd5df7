"""The ends of the topics, and the lag and members of each role's consumer group.

Only the broker is queried, no worker, so it works with every deployment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import IsolationLevel, KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec

from connect.client_options import ClientOptions
from connect.topics import DEFAULT_PRODUCERS, all_topics, group, topics_of
from settings.workers import ROLES, Role

TIMEOUT_MS: Final = 2_000


def role_topics(producers: Iterable[str] = DEFAULT_PRODUCERS) -> dict[Role, tuple[str, ...]]:
    """The topics that the agents of each role read."""
    names = tuple(producers)
    return {role: topics_of(role, names) for role in ROLES}


@dataclass(frozen=True, slots=True)
class RoleGroup:
    """The consumer group of a role: its state as Kafka names it, its number of members, its lag in records by topic.

    ``strangers`` are the clients of members that are no workers: they take records away from these.
    """

    state: str
    members: int
    lags: Mapping[str, int]
    partition_lags: Mapping[TopicPartition, int] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()

    @property
    def lag(self) -> int:
        """The lag over all topics."""
        return sum(self.lags.values())


@dataclass(frozen=True, slots=True)
class LogState:
    """The sum of each topic's end offsets, which never decreases, and the groups by role.

    ``stable_ends`` are the last stable offsets: records after them belong to open transactions and can't be read yet,
    so they don't count as lag.
    """

    ends: Mapping[str, int]
    groups: Mapping[Role, RoleGroup]
    partition_ends: Mapping[TopicPartition, int] = field(default_factory=dict)
    stable_ends: Mapping[TopicPartition, int] = field(default_factory=dict)

    def unread(self, role: Role) -> dict[TopicPartition, int]:
        """The next offset of each partition in which the role is behind."""
        lags = self.groups[role].partition_lags
        return {place: self.stable_ends[place] - lag for place, lag in lags.items() if lag}


class KafkaWatch:
    """One connection to Kafka, opened by the first call. Raises KafkaError."""

    def __init__(self, kafka: ClientOptions, producers: Iterable[str] = DEFAULT_PRODUCERS) -> None:
        self._kafka = kafka
        self._role_topics = role_topics(producers)
        self._topic_names = [topic.name for topic in all_topics(producers)]
        self._client: Any = None

    def look(self) -> LogState:
        """The current state of topics and groups. After an error the next call connects again."""
        try:
            return self._look()
        except BaseException:
            self.close()
            raise

    def retention_seconds(self) -> dict[str, float]:
        """The retention time of each topic that a role reads and that deletes old records."""
        self._client = self._client or make_client(self._kafka)
        names = sorted({topic for topics in self._role_topics.values() for topic in topics})
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found = self._client.describe_configs(resources, config_filter="all")["topic"]
        retention = {
            name: int(config["retention.ms"]["value"]) / 1000
            for name, config in found.items()
            if "delete" in config["cleanup.policy"]["value"]
        }
        return {name: seconds for name, seconds in retention.items() if seconds >= 0}

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _look(self) -> LogState:
        if self._client is None:
            self._client = make_client(self._kafka)
        committed = self._client.list_group_offsets([group(role) for role in ROLES])
        members = self._client.describe_groups([group(role) for role in ROLES])
        partitions = self._partitions()
        # Read after the commits, so that no lag is negative; the stable ends before the others, which are never lower.
        stable = self._ends(partitions, IsolationLevel.READ_COMMITTED)
        ends = self._ends(partitions, IsolationLevel.READ_UNCOMMITTED)
        return LogState(
            {topic: sum(end for each, end in ends.items() if each.topic == topic) for topic in self._topic_names},
            {
                role: role_group(topics, members[group(role)], committed.get(group(role), {}), stable)
                for role, topics in self._role_topics.items()
            },
            ends,
            stable,
        )

    def _partitions(self) -> list[TopicPartition]:
        known = self._client.describe_topics(self._topic_names)
        return [
            TopicPartition(topic["name"], each["partition_index"]) for topic in known for each in topic["partitions"]
        ]

    def _ends(self, partitions: list[TopicPartition], level: Any) -> dict[TopicPartition, int]:
        found = self._client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST), isolation_level=level)
        return {partition: latest.offset for partition, latest in found.items()}


def make_client(kafka: ClientOptions) -> Any:
    """An admin client with short timeouts."""
    return KafkaAdminClient(
        **kafka,
        client_id="turnstile-watch",
        request_timeout_ms=TIMEOUT_MS,
        bootstrap_timeout_ms=TIMEOUT_MS,
    )


def role_group(
    topics: tuple[str, ...], said: Any, committed: Mapping[TopicPartition, Any], ends: Mapping[TopicPartition, int]
) -> RoleGroup:
    """The group of a role that reads ``topics``, as the broker described it, with its offsets and the topics' ends."""
    lags = {place: _lag(committed.get(place), end) for place, end in ends.items() if place.topic in topics}
    by_topic = {topic: sum(lag for each, lag in lags.items() if each.topic == topic) for topic in topics}
    # Each worker is a static member (streams/runtime/app.py).
    strangers = [each for each in said["members"] if each.get("group_instance_id", "") is None]
    told = tuple(f"{each['client_id']} from {each['client_host'].lstrip('/')}" for each in strangers)
    return RoleGroup(said["group_state"], len(said["members"]) - len(told), by_topic, lags, told)


def _lag(committed: Any, end: int) -> int:
    """The lag of a partition: everything, if nothing has been acknowledged yet."""
    return max(0, end - (max(0, committed.offset) if committed is not None else 0))

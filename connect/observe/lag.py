"""Kafka seen from outside: how long the topics are, how far each role is behind with them, who is at work.

Asked of the broker alone, so it says the same of every deployment and asks no worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from kafka import IsolationLevel, KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec

from connect.topics import (
    ACCOUNT_ROWS,
    COMMANDS,
    DELIVERIES,
    EVENT_ROWS,
    EVENT_STATUS,
    JOBS,
    OUTCOMES,
    RESENDS,
    RETRIES,
    catalogue,
    group,
)
from settings import Role

TIMEOUT_MS: Final = 2_000
ROLES: Final[tuple[Role, ...]] = get_args(Role)
TOPICS: Final = tuple(topic.name for topic in catalogue())

# The topics that the agents of a role read.
READS: Final[dict[Role, tuple[str, ...]]] = {
    "ledger": (COMMANDS, EVENT_STATUS),
    "indexer": (EVENT_ROWS,),
    "notifications": (OUTCOMES, ACCOUNT_ROWS, JOBS, RETRIES, RESENDS),
    "sales": (OUTCOMES, DELIVERIES),
}


@dataclass(frozen=True, slots=True)
class Group:
    """The workers of a role: their group's state in Kafka's word, how many they are, their lag in records by topic.

    ``places`` has the lag by partition.
    """

    state: str
    members: int
    lags: Mapping[str, int]
    places: Mapping[TopicPartition, int] = field(default_factory=dict)

    @property
    def lag(self) -> int:
        """Records that wait, over all topics."""
        return sum(self.lags.values())


@dataclass(frozen=True, slots=True)
class LogState:
    """What the broker says: the summed end offsets of each topic, which only grow, and the groups by role.

    ``places`` has the end offsets by partition, ``stable`` those up to which nothing belongs to an open transaction:
    what lies behind can't be read yet, so it is no lag of ours.
    """

    ends: Mapping[str, int]
    groups: Mapping[Role, Group]
    places: Mapping[TopicPartition, int] = field(default_factory=dict)
    stable: Mapping[TopicPartition, int] = field(default_factory=dict)


class KafkaWatch:
    """One connection to Kafka, made at the first look. Anything but an answer raises KafkaError."""

    def __init__(self, servers: str) -> None:
        self._servers = servers.split(",")
        self._client: Any = None

    def look(self) -> LogState:
        """The topics and groups as they are now. After a failure the next look connects anew."""
        try:
            return self._look()
        except BaseException:
            self.close()
            raise

    def kept(self) -> dict[str, float]:
        """For how many seconds the topics that a role reads keep their records, where they delete old ones."""
        self._client = self._client or make_client(self._servers)
        names = sorted({topic for topics in READS.values() for topic in topics})
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found = self._client.describe_configs(resources, config_filter="all")["topic"]
        kept = {
            name: int(config["retention.ms"]["value"]) / 1000
            for name, config in found.items()
            if "delete" in config["cleanup.policy"]["value"]
        }
        return {name: seconds for name, seconds in kept.items() if seconds >= 0}

    def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _look(self) -> LogState:
        if self._client is None:
            self._client = make_client(self._servers)
        committed = self._client.list_group_offsets([group(role) for role in ROLES])
        members = self._client.describe_groups([group(role) for role in ROLES])
        places = self._places()
        # After the commits, so that no lag is below nothing; the stable ones first, which are never above the others.
        stable = self._ends(places, IsolationLevel.READ_COMMITTED)
        ends = self._ends(places, IsolationLevel.READ_UNCOMMITTED)
        return LogState(
            {topic: sum(end for place, end in ends.items() if place.topic == topic) for topic in TOPICS},
            {role: _group(role, members[group(role)], committed.get(group(role), {}), stable) for role in ROLES},
            ends,
            stable,
        )

    def _places(self) -> list[TopicPartition]:
        known = self._client.describe_topics(list(TOPICS))
        return [
            TopicPartition(topic["name"], each["partition_index"]) for topic in known for each in topic["partitions"]
        ]

    def _ends(self, places: list[TopicPartition], level: Any) -> dict[TopicPartition, int]:
        found = self._client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST), isolation_level=level)
        return {place: at.offset for place, at in found.items()}


def make_client(servers: list[str]) -> Any:
    """A client that gives up soon."""
    return KafkaAdminClient(
        bootstrap_servers=servers,
        client_id="turnstile-watch",
        request_timeout_ms=TIMEOUT_MS,
        bootstrap_timeout_ms=TIMEOUT_MS,
    )


def _group(role: Role, said: Any, committed: Mapping[TopicPartition, Any], ends: Mapping[TopicPartition, int]) -> Group:
    lags = {place: _lag(committed.get(place), end) for place, end in ends.items() if place.topic in READS[role]}
    by_topic = {topic: sum(lag for place, lag in lags.items() if place.topic == topic) for topic in READS[role]}
    return Group(said["group_state"], len(said["members"]), by_topic, lags)


def _lag(committed: Any, end: int) -> int:
    """A partition of which nothing is acknowledged yet is behind by all of it."""
    return max(0, end - (max(0, committed.offset) if committed is not None else 0))

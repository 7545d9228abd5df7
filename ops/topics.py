"""The state of the topics on the brokers: records, bytes on disk, replicas, lag of each role."""

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from kafka import TopicPartition
from kafka.admin import OffsetSpec

from connect.client_options import ClientOptions
from connect.observe.lag import make_client, role_topics
from connect.topics import Topic, all_topics, group
from settings import ROLES, Role, Settings

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class TopicState:
    """``records`` counts offsets from the oldest one kept; ``bytes`` counts all replicas; ``lags`` is by role.

    ``out_of_sync`` counts replicas behind their leader or on a broker that is down.
    """

    name: str
    partitions: int
    replicas: int
    out_of_sync: int
    records: int
    bytes: int
    kept: str
    lags: Mapping[str, int]


def read_topics(kafka: ClientOptions, producers: Collection[str]) -> list[TopicState]:
    """Every existing topic of the catalogue, in its order. Raises KafkaError."""
    topics = {topic.name: topic for topic in all_topics(producers)}
    readers = role_topics(producers)
    with closing(make_client(kafka)) as client:
        known = {entry["name"]: entry["partitions"] for entry in client.describe_topics(list(topics))}
        known = {name: partitions for name, partitions in known.items() if partitions}
        places = [TopicPartition(name, one["partition_index"]) for name, some in known.items() for one in some]
        committed = client.list_group_offsets([group(role) for role in ROLES])
        begins = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
        ends = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        sizes = _sizes(client.describe_log_dirs())
    return [
        TopicState(
            name=name,
            partitions=len(known[name]),
            replicas=max(len(one["replica_nodes"]) for one in known[name]),
            out_of_sync=sum(len(one["replica_nodes"]) - len(one["isr_nodes"]) for one in known[name]),
            records=sum(ends[place].offset - begins[place].offset for place in places if place.topic == name),
            bytes=sizes[name],
            kept=_kept(topic),
            lags=_lags(name, [place for place in places if place.topic == name], committed, ends, readers),
        )
        for name, topic in topics.items()
        if name in known
    ]


def partition_ends(kafka: ClientOptions, topic: str) -> dict[int, int]:
    """The end offset of each partition. Raises KafkaError."""
    with closing(make_client(kafka)) as client:
        [known] = client.describe_topics([topic])
        places = [TopicPartition(topic, one["partition_index"]) for one in known["partitions"]]
        found = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    return {place.partition: at.offset for place, at in found.items()}


def missing_topics(states: list[TopicState], producers: Collection[str]) -> list[str]:
    """The topics of the catalogue that don't exist."""
    there = {state.name for state in states}
    return [topic.name for topic in all_topics(producers) if topic.name not in there]


def widened_topics(states: list[TopicState], now: Settings) -> list[str]:
    """The topics with more partitions than they were made with."""
    made = {topic.name: topic.made_with(now.partitions) for topic in all_topics(now.producer_quotas)}
    return [state.name for state in states if state.partitions > made[state.name]]


def _sizes(brokers: list[dict[str, Any]]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for broker in brokers:
        for folder in broker["log_dirs"]:
            for topic in folder["topics"]:
                sizes[topic["name"]] += sum(one["partition_size"] for one in topic["partitions"])
    return sizes


def _kept(topic: Topic) -> str:
    if topic.config["cleanup.policy"] == "compact":
        return "newest of each key"
    return f"{int(topic.config['retention.ms']) // DAY_MS} d"


def _lags(
    name: str, places: list[TopicPartition], committed: Any, ends: Any, readers: Mapping[Role, tuple[str, ...]]
) -> dict[str, int]:
    """The lag in records of each role that reads the topic."""
    lags = {}
    for role, topics in readers.items():
        if name in topics:
            done = committed.get(group(role), {})
            lags[str(role)] = sum(
                max(0, ends[place].offset - max(0, done[place].offset if place in done else 0)) for place in places
            )
    return lags

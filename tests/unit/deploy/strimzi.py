"""The topics and users of Strimzi's examples, made from the code. ``make strimzi`` writes the files."""

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import yaml
from kafka.admin import ACLResourcePatternType, ResourceType

from connect.access.grants import pattern_of, rights
from connect.access.principals import ADMIN, Principal, principals
from connect.provisioning import topic_request
from connect.topics import Topic, all_topics
from settings import Settings

EXAMPLES: Final = Path(__file__).parents[3] / "deploy" / "examples"
API: Final = "kafka.strimzi.io/v1"
CLUSTER: Final = {"strimzi.io/cluster": "turnstile"}
SECRET: Final = "turnstile"
PATTERN_TYPES: Final = {ACLResourcePatternType.LITERAL: "literal", ACLResourcePatternType.PREFIXED: "prefix"}
HEADS: Final = {
    "strimzi-topics.yaml": "# The topics of connect/topics.py. `make strimzi` writes this file.\n",
    "strimzi-users.yaml": "# The users of connect/access/principals.py. `make strimzi` writes this file.\n",
}


def topics(settings: Settings) -> list[dict[str, Any]]:
    """A resource for each topic; its name is the topic's where Kubernetes takes that."""
    return [_topic(topic, topic_request(topic, settings)) for topic in all_topics()]


def users() -> list[dict[str, Any]]:
    """A resource for each principal, and one for the administrator, whom the broker lets do everything."""
    return [_user(ADMIN, {}), *(_user(each.name, {"authorization": _rights(each)}) for each in principals())]


def files() -> dict[str, str]:
    """The text of each file by its name."""
    chosen = Settings(ticket_key="k" * 32, replication_factor=3, min_insync_replicas=2, partitions=24)
    found = {"strimzi-topics.yaml": topics(chosen), "strimzi-users.yaml": users()}
    return {name: HEADS[name] + yaml.safe_dump_all(them, sort_keys=False, width=120) for name, them in found.items()}


def _topic(topic: Topic, request: dict[str, Any]) -> dict[str, Any]:
    name = topic.name.lower().replace("_", "-").lstrip("-")
    spec = {
        "topicName": topic.name,
        "partitions": request["num_partitions"],
        "replicas": request["replication_factor"],
        "config": request["configs"],
    }
    return {"apiVersion": API, "kind": "KafkaTopic", "metadata": {"name": name, "labels": CLUSTER.copy()}, "spec": spec}


def _user(name: str, rights: dict[str, Any]) -> dict[str, Any]:
    source = {"secretKeyRef": {"name": SECRET, "key": f"kafka_{name}_password"}}
    spec = {"authentication": {"type": "scram-sha-512", "password": {"valueFrom": source}}, **rights}
    return {"apiVersion": API, "kind": "KafkaUser", "metadata": {"name": name, "labels": CLUSTER.copy()}, "spec": spec}


def _rights(principal: Principal) -> dict[str, Any]:
    operations: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind, name, operation in rights(principal):
        operations[kind.name.lower(), name].append(operation.name.title().replace("_", ""))
    return {
        "type": "simple",
        "acls": [
            {"resource": _resource(kind, name), "operations": sorted(names)}
            for (kind, name), names in sorted(operations.items())
        ],
    }


def _resource(kind: str, name: str) -> dict[str, str]:
    if kind == "cluster":
        return {"type": kind}
    pattern = pattern_of(ResourceType[kind.upper()], name)
    return {"type": kind, "name": pattern.resource_name, "patternType": PATTERN_TYPES[pattern.pattern_type]}


def main() -> None:
    """Write both files."""
    for name, text in files().items():
        (EXAMPLES / name).write_text(text)


if __name__ == "__main__":
    main()

"""Before a worker starts: every topic is there, with the partitions that the tables count on.

Faust itself would retry a missing topic for ever, and drop every record of a table whose changelog differs.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from connect.topics import catalogue
from settings import Settings
from tables.errors import TurnstileError

PATIENCE_S: Final = 60.0
PAUSE_S: Final = 0.5


class NotProvisioned(TurnstileError):
    """Topics are missing or have another number of partitions than the settings say."""


def wait_until_provisioned(
    settings: Settings,
    *,
    within: float = PATIENCE_S,
    connect: Callable[[Settings], Any] | None = None,
) -> None:
    """Return once every topic is as it has to be. Raises NotProvisioned, naming each that is not, after ``within``."""
    deadline = time.monotonic() + within
    while True:
        problems = _problems(settings, connect or _consumer)
        if not problems:
            return
        if time.monotonic() > deadline:
            raise NotProvisioned("; ".join(problems) + ": run `python -m connect` first")
        time.sleep(PAUSE_S)


def _problems(settings: Settings, connect: Callable[[Settings], Any]) -> list[str]:
    try:
        consumer = connect(settings)
    except KafkaError as error:
        return [f"Kafka at {settings.kafka_servers} (TURNSTILE_KAFKA_SERVERS) does not answer: {error}"]
    try:
        return [problem for topic in catalogue() for problem in _differences(consumer, topic, settings)]
    finally:
        consumer.close()


def _differences(consumer: Any, topic: Any, settings: Settings) -> list[str]:
    should = topic.partitions or settings.partitions
    has = len(consumer.partitions_for_topic(topic.name) or ())
    if has == should:
        return []
    return [f"topic {topic.name} is missing" if not has else f"topic {topic.name} has {has} partitions, not {should}"]


def _consumer(settings: Settings) -> Any:
    return KafkaConsumer(
        bootstrap_servers=settings.kafka_servers.split(","), bootstrap_timeout_ms=3_000, allow_auto_create_topics=False
    )

"""Waiting for Kafka before a worker starts, until every topic exists with the right number of partitions.

Faust would retry a missing topic forever. With another number than the log was written with, events would be sold anew.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from connect.client_options import client_options
from connect.topics import COMMANDS, all_topics, has_right_number, topics_of
from settings import Settings

PAUSE_S: Final = 0.5


def wait_until_provisioned(
    settings: Settings,
    report: Callable[[str], object],
    *,
    connect: Callable[[Settings], Any] | None = None,
    pause_s: float = PAUSE_S,
) -> None:
    """Return once every topic is as it should be, however long that takes.

    Calls ``report`` with the problem after each check that finds one.
    """
    while problem := _problem(settings, connect or _consumer):
        report(problem)
        time.sleep(pause_s)


def _problem(settings: Settings, connect: Callable[[Settings], Any]) -> str:
    try:
        consumer = connect(settings)
        try:
            return _differences(consumer, settings)
        finally:
            consumer.close()
    except KafkaError as error:
        kind = type(error).__name__
        return f"Kafka at {settings.kafka_servers} (TURNSTILE_KAFKA_SERVERS) does not answer ({kind})"


def _differences(consumer: Any, settings: Settings) -> str:
    topics = all_topics(settings.producer_quotas)
    counts = {topic.name: len(consumer.partitions_for_topic(topic.name) or ()) for topic in topics}
    missing = [name for name, count in counts.items() if not count]
    # A topic of another role doesn't matter; without the right number of commands nothing may run.
    needed = {COMMANDS, *topics_of(settings.role, settings.producer_quotas)}
    different = []
    for topic in topics:
        has, should = counts[topic.name], topic.made_with(settings.partitions)
        matters = topic.name in needed or has < should
        if has and matters and not has_right_number(topic, counts, settings.partitions):
            text = f"topic {topic.name} has {has} partitions, not {should}"
            different.append(f"{text}; see Partitions were added in docs/operations.md")
    problems = [*different, f"missing: {', '.join(missing)}; `python -m connect` makes them"] if missing else different
    return "; ".join(problems)


def _consumer(settings: Settings) -> Any:
    return KafkaConsumer(**client_options(settings), bootstrap_timeout_ms=3_000, allow_auto_create_topics=False)

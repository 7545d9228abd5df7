"""Waiting for Kafka before a worker starts, until every topic exists with the right number of partitions.

Faust would retry a missing topic forever, and drop every record of a table whose changelog has another number.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from connect.client_options import client_options
from connect.topics import all_topics
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
    missing, different = [], []
    for topic in all_topics(settings.producer_quotas):
        should = topic.partitions or settings.partitions
        has = len(consumer.partitions_for_topic(topic.name) or ())
        if not has:
            missing.append(topic.name)
        elif has != should:
            different.append(f"topic {topic.name} has {has} partitions, not {should}")
    problems = [*different, f"missing: {', '.join(missing)}; `python -m connect` makes them"] if missing else different
    return "; ".join(problems)


def _consumer(settings: Settings) -> Any:
    return KafkaConsumer(**client_options(settings), bootstrap_timeout_ms=3_000, allow_auto_create_topics=False)

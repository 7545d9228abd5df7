"""The running pipeline that a bench talks to: settings from the environment, else those of the embedded stack."""

import os
from dataclasses import dataclass

from settings import Settings
from stack.environment import app_environment
from stack.settings import StackSettings


@dataclass(frozen=True, slots=True)
class Target:
    """Addresses of a running pipeline."""

    api: str
    kafka: str
    worker: str
    mails: str
    partitions: int


def running_pipeline() -> Target:
    """The pipeline that ``make run`` started, or the one that TURNSTILE_ variables name."""
    stack = StackSettings()
    settings = Settings(**_values({**app_environment(stack), **os.environ}))  # type: ignore[arg-type]
    return Target(
        api=f"http://{settings.api_bind}:{settings.api_port}",
        kafka=settings.kafka_servers,
        worker=settings.worker_url,
        mails=f"http://127.0.0.1:{stack.mail_port}/mails.json",
        partitions=settings.partitions,
    )


def _values(environment: dict[str, str]) -> dict[str, str]:
    prefix = "TURNSTILE_"
    return {name.removeprefix(prefix).lower(): value for name, value in environment.items() if name.startswith(prefix)}

"""Agents: a topic, a name, and a function that handles the topic's records in batches."""

from faust.types import StreamT, TopicT

from streams.runtime.app import App
from streams.runtime.batching import Handle, in_batches


def add_agent(app: App, topic: str, handle: Handle, *, name: str, batch_max_records: int) -> None:
    """Register an agent that gives ``handle`` the records of ``topic``, in order, a batch at a time."""

    async def consume(stream: StreamT[bytes]) -> None:
        await in_batches(stream, handle, in_flight=app.in_flight, max_records=batch_max_records, name=name)

    app.agent(_raw_topic(app, topic), name=name, concurrency=1)(consume)


def _raw_topic(app: App, name: str) -> TopicT:
    """A topic whose keys and values stay bytes, so that the agent itself sees what can't be decoded."""
    app.counters.add_topic(name)
    return app.topic(
        name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )

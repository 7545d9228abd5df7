"""The headers of the records on each topic. Their values are UTF-8 texts; readers ignore headers they don't know."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Natural = Annotated[str, Meta(pattern=r"^[0-9]{1,19}\Z")]


class TraceHeaders(Struct, frozen=True, kw_only=True, rename="kebab"):
    """``traceparent``: the trace that the record belongs to, as in W3C Trace Context."""

    traceparent: Annotated[str, Meta(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")] | UnsetType = UNSET


class AnnouncementHeaders(TraceHeaders, frozen=True, kw_only=True, rename="kebab"):
    """``id``: that of the announcement, by which a repeat is known."""

    id: str | UnsetType = UNSET


class JobHeaders(TraceHeaders, frozen=True, kw_only=True, rename="kebab"):
    """``first-seen``: when the job was first handled, in ms since 1970, however often it was postponed."""

    first_seen: Natural | UnsetType = UNSET


class RequestHeaders(TraceHeaders, frozen=True, kw_only=True, rename="kebab"):
    """``correlation-id``: what the answer repeats, its first 256 bytes."""

    correlation_id: str | UnsetType = UNSET


class AnswerHeaders(Struct, frozen=True, kw_only=True, rename="kebab"):
    """``request`` is the place of the request, topic[partition]@offset; ``correlation-id`` is the request's."""

    request: str
    correlation_id: str | UnsetType = UNSET


class DeadLetterHeaders(Struct, frozen=True, kw_only=True, rename="kebab"):
    """The last headers of a dead letter; the record's own come before them.

    ``dlq-topic``, ``dlq-partition`` and ``dlq-offset`` are the record's position, ``dlq-error`` says why it could not
    be processed. ``dlq-details`` follows if the dead letter doesn't hold the whole record: a JSON object.
    """

    dlq_topic: str
    dlq_partition: Natural
    dlq_offset: Natural
    dlq_error: str
    dlq_details: str | UnsetType = UNSET

"""One thing that the client of a chaos run does, as plain data."""

from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that the client does ``at`` so many seconds. ``what`` tells which of the fields count.

    Requests (``ask``): method, path, body, key, ``who`` with which roles. Records (``append``): topic, key, value,
    partition, headers, so many times; ``ends`` is how their transaction does (commit or abort), if they are in one.
    ``codec``, ``zeros`` (so many follow the value) and ``odd_header`` (the bytes of a name, in hexadecimal digits) are
    of records in batches that the client makes itself. Copies (``copy``): of topic, ``share`` of the way through its
    partition.
    """

    n: int
    at: float
    what: str
    name: str
    who: str = ""
    roles: tuple[str, ...] = ()
    method: str = ""
    path: str = ""
    body: Json | None = None
    key: str = ""
    topic: str = ""
    value: str | None = None
    partition: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    ends: str = ""
    codec: str = ""
    zeros: int = 0
    odd_header: str = ""
    share: float = 0.0

    def plain(self) -> Json:
        """The act as JSON can hold it."""
        return asdict(self)

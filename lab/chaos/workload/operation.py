"""One operation of the client of a chaos run, as plain data."""

from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, ``at`` so many seconds of the run. ``what`` tells which of the fields count.

    ``pay`` starts the payment at ``path`` and presses the buttons in ``value`` on the provider's page. ``ask`` is a
    request: method, path, body, idempotency key, the account ``who`` with its roles. ``append`` writes a
    record ``times`` times: topic, key, value, partition, headers; ``ends`` is commit or abort if it is written in a
    transaction. ``codec``, ``zeros`` (bytes of zero behind the value) and ``odd_header`` (a header's name as
    hexadecimal digits) are of records in batches that the client makes itself. ``copy`` appends an older record of
    topic and partition once more: the one at ``share`` of the partition's length.
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

    def as_json(self) -> Json:
        """The operation as JSON can hold it."""
        return asdict(self)

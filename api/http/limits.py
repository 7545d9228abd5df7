"""How much a connection may ask for, and for how long."""

from typing import Final, NamedTuple

# Of one request, with its request line.
HEAD_MAX_BYTES: Final = 8 * 1024
HEAD_MAX_FIELDS: Final = 64
# As much as any route takes (api/web/request_limits.py).
BODY_MAX_BYTES: Final = 64 * 1024
# Requests of one connection that wait for the ones before them.
PIPELINE_MAX: Final = 64
# What still comes from a client that was refused is thrown away, so much and for so long: a socket that is closed on
# it would take the refusal back (RFC 9112, section 9.6).
LINGER_MAX_BYTES: Final = 1024 * 1024


class Limits(NamedTuple):
    """Seconds in all, not since the last byte; and numbers of connections.

    ``idle_s`` is longer than clients and proxies keep a connection that nobody uses, so that they close it, not the
    server while they use it. ``unread_s`` is for a client that doesn't read its answer: so long for 48 KiB of it, and
    for the last of it; ``answer_s`` is for all of an answer.
    """

    head_s: float = 10.0
    body_s: float = 10.0
    idle_s: float = 75.0
    unread_s: float = 20.0
    answer_s: float = 660.0
    linger_s: float = 1.0
    connections: int = 4_000
    connections_per_client: int = 1_000

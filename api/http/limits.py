"""How much a connection may send and how long it may take, and how many connections there may be."""

from collections import Counter
from typing import Any, Final, NamedTuple

from uvicorn.server import ServerState

# Of one request, with its request line.
HEAD_MAX_BYTES: Final = 8 * 1024
HEAD_MAX_FIELDS: Final = 64  # with those behind its body
# Each chunk of a body costs a callback, however small it is.
BODY_MAX_CHUNKS: Final = 1_024
# Requests of one connection that wait for those before them.
PIPELINE_MAX_REQUESTS: Final = 16
# What a refused client still sends is discarded, up to that size and for ``linger_s``: to close the socket at once
# would take the refusal back (RFC 9112, section 9.6).
LINGER_MAX_BYTES: Final = 1024 * 1024
# Between two reads of what is discarded: at full speed, copying it would take a core.
LINGER_PAUSE_S: Final = 0.05


class ConnectionLimits(NamedTuple):
    """Seconds in total, not since the last byte; and numbers of connections.

    ``idle_s`` is longer than clients and proxies keep an unused connection, so that they close it and not the server
    while they use it. ``unread_s`` is for a client to read 48 KiB of its answer, or the end of it; ``answer_s`` is for
    a whole answer. ``grace_s`` is how long a shutdown waits for connections; it accepts clients for ``accept_last_s``,
    and a connection may then stay unused for ``unused_last_s``.
    """

    head_s: float = 10.0
    body_s: float = 10.0
    idle_s: float = 75.0
    unread_s: float = 20.0
    answer_s: float = 660.0
    linger_s: float = 1.0
    grace_s: float = 7.0
    accept_last_s: float = 1.0
    unused_last_s: float = 1.5
    connections: int = 4_000
    connections_per_client: int = 1_000


class Connections(ServerState):
    """All of them, how many each client has, and those with a large body. ``is_stopping``: each answer is the last."""

    connections: set[Any]
    is_stopping = False

    def __init__(self, limits: ConnectionLimits) -> None:
        super().__init__()
        self.limits = limits
        self.clients: Counter[str] = Counter()
        self.large_bodies: set[Any] = set()

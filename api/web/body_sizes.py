"""How large a request's body may be, by its path: the server refuses a larger one before it has come."""

import re
from typing import Final

BODY_MAX_BYTES: Final = 64 * 1024
SEATING_MAX_BYTES: Final = 8 * 1024 * 1024
# A description of 20,000 characters, each of which may take twelve bytes in a form.
EVENT_FORM_MAX_BYTES: Final = 256 * 1024
# A process takes so many bodies of more than BODY_MAX_BYTES at a time.
LARGE_BODIES_MAX: Final = 4
# The proxy has the same two patterns (ops/haproxy/haproxy.cfg).
SEATING_PATHS: Final = (
    r"/api/v3/events/[^/]+/seating(/draw|/generate)?/?|/organize/events/[^/]+/seating/(upload|draw)/?"
)
# The form of a section has a field for each of its seats.
EVENT_FORM_PATHS: Final = r"/organize/(new|events/[^/]+/(edit|seating/section))/?"
_SEATING: Final = re.compile(SEATING_PATHS, re.ASCII)
_EVENT_FORM: Final = re.compile(EVENT_FORM_PATHS, re.ASCII)


def body_max_bytes(path: str) -> int:
    """The bytes that a body for this path may have."""
    if _SEATING.fullmatch(path):
        return SEATING_MAX_BYTES
    return EVENT_FORM_MAX_BYTES if _EVENT_FORM.fullmatch(path) else BODY_MAX_BYTES

"""The number of files and connections that a process may have open."""

import contextlib
import resource
from typing import Final

# A shell and many container engines allow 1,024 unless a process asks for more, and a thousand clients of one address
# may be connected to the API.
OPEN_MAX: Final = 65_536


def raise_limit() -> None:
    """Allow this process OPEN_MAX files, or as many as the system lets it have."""
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_MAX if most == resource.RLIM_INFINITY else min(OPEN_MAX, most)
    if limit != resource.RLIM_INFINITY and limit < wanted:
        with contextlib.suppress(ValueError, OSError):  # the system may have a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))

"""Ending the process before anything unexpected can be acknowledged.

Faust acknowledges the record that an agent failed on, so an exception must never leave an agent.
"""

import logging
import os
import sys
from typing import NoReturn

STATUS = 70

log = logging.getLogger(__name__)


def fail_stop(doing: str, error: BaseException) -> NoReturn:
    """End this process at once; what was under way is read again by the next one."""
    log.critical("ending the process: %s failed: %r", doing, error, exc_info=error)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(STATUS)

"""Handling of SIGTERM and SIGINT: while a process starts, and once its loop runs.

In a container the process is PID 1, for which the kernel ignores signals without a handler.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def end_at_once() -> None:
    """Exit with code 0 on both signals, until other handlers are installed."""
    for number in ENDING_SIGNALS:
        signal.signal(number, _end)


def stop_on_signals(stop: Callable[[int, None], object]) -> None:
    """Call it in the running loop on both signals, as a handler of them. Only the main thread gets signals."""
    for number in ENDING_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, number, None)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(0)

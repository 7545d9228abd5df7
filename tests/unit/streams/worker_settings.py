"""Settings of workers, read once for all tests: to read all of them takes milliseconds."""

from functools import cache
from pathlib import Path
from typing import Any

from settings import Settings


def settings_in(folder: Path, **values: Any) -> Settings:
    """The settings of a worker with its data in this folder; other values have to be hashable."""
    return _settings(**values).model_copy(update={"worker_data": folder})


@cache
def _settings(**values: Any) -> Settings:
    return Settings(ticket_key="k" * 32, **values)

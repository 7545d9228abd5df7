"""Garbage is collected seldom: among the objects of thousands of tests, it takes a fifth of their time else.

Unit tests write into the run's temporary folder alone.
"""

import gc
import tempfile
from collections.abc import Iterator
from typing import Final

import pytest

from tests.unit.written_files import refuse_writes_outside

# Objects of the first generation, collections of the first and of the second; Python's own start with 700 or 2,000.
GC_THRESHOLDS: Final = (400_000, 20, 20)
gc.set_threshold(*GC_THRESHOLDS)  # when modules and tests have yet to be loaded: nearly all that they make stays


def pytest_collection_finish() -> None:
    """Leave out what is there for all tests."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Look once through what the tests left: pytest does so twice, and Python when it ends."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _writes_stay_inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What makes files in a place of its own, such as ``tempfile``, has that place in the run's folder too."""
    with pytest.MonkeyPatch.context() as patched:
        scratch = str(tmp_path_factory.mktemp("scratch"))
        patched.setattr(tempfile, "tempdir", scratch)
        patched.setenv("TMPDIR", scratch)
        patched.setenv("TURNSTILE_POSTGRES_FOLDER", str(tmp_path_factory.mktemp("postgres")))
        with refuse_writes_outside(tmp_path_factory.getbasetemp()):
            yield

"""Garbage is collected seldom: among the objects of thousands of tests, it takes a fifth of their time else."""

import gc
from typing import Final

# Objects of the first generation, collections of the first and of the second; Python's own start with 700 or 2,000.
GC_THRESHOLDS: Final = (50_000, 20, 20)


def pytest_collection_finish() -> None:
    """Leave out what is there for all tests, and wait for more of what they leave behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)

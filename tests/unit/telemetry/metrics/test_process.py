"""What a process may use of the memory, by the files of control groups."""

import os
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from telemetry.metrics.process import memory_limit, register_process

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("said", "limit"), [("536870912\n", 536_870_912), ("max\n", MACHINE), ("9223372036854771712\n", MACHINE)]
)
def test_the_limit_is_the_container_s_or_else_the_machine_s(said: str, limit: int, tmp_path: Path) -> None:
    file = tmp_path / "memory.max"
    file.write_text(said)
    assert memory_limit([tmp_path / "missing", file]) == limit


def test_every_process_exports_it() -> None:
    registry = CollectorRegistry()
    register_process(registry)
    assert b"turnstile_memory_limit_bytes" in generate_latest(registry)

"""The metrics of every part: what the kernel reports of its process, and the memory that it may use."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client import Metric as Family

from telemetry.metrics.definition import Metrics

EVERY_PART: Final = Metrics("every part")
EVERY_PART.counter("process_cpu_seconds_total", "CPU time used")
EVERY_PART.gauge("process_resident_memory_bytes", "resident memory")
EVERY_PART.gauge("process_virtual_memory_bytes", "virtual memory")
EVERY_PART.gauge("process_start_time_seconds", "start time of the process, in seconds since 1970")
EVERY_PART.gauge("process_open_fds", "open file descriptors")
EVERY_PART.gauge("process_max_fds", "maximum number of open file descriptors")
MEMORY_LIMIT: Final = EVERY_PART.gauge(
    "turnstile_memory_limit_bytes",
    "memory that the process may use: the limit of its container, or the memory of the machine",
)
# A container's own limit, in version 2 and in version 1 of control groups.
LIMIT_FILES: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


class MemoryLimit:
    """A collector of the limit."""

    def collect(self) -> Iterator[Family]:
        yield MEMORY_LIMIT.one(memory_limit())


def memory_limit(files: Sequence[Path] = LIMIT_FILES) -> int:
    """Bytes that the process may use. Without a limit ``files`` say `max`, or more than the machine has."""
    said = [file.read_text().strip() for file in files if file.is_file()]
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(int(text) for text in said if text.isdecimal())])


def register_process(registry: CollectorRegistry) -> None:
    """Export the metrics of this process."""
    ProcessCollector(registry=registry)
    registry.register(MemoryLimit())  # type: ignore[arg-type,unused-ignore]

"""The metrics of every part: what the kernel reports of its process."""

from typing import Final

from telemetry.metrics.definition import Metric

METRICS: Final = (
    Metric("process_cpu_seconds_total", "counter", "every part", "CPU time used"),
    Metric("process_resident_memory_bytes", "gauge", "every part", "resident memory"),
    Metric("process_virtual_memory_bytes", "gauge", "every part", "virtual memory"),
    Metric("process_start_time_seconds", "gauge", "every part", "start time of the process, in seconds since 1970"),
    Metric("process_open_fds", "gauge", "every part", "open file descriptors"),
    Metric("process_max_fds", "gauge", "every part", "maximum number of open file descriptors"),
)

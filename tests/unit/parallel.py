"""A plugin of pytest, ``-p tests.unit.parallel --processes 8``: several processes run the tests that one has collected.

They are forked when all is imported, which takes longest, and each takes one file of tests after another, until none is
left. What they find is reported by the first, as if it had run the tests itself.
"""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any, Final

import pytest

HERE: Final = Path(__file__).parent
# Tests in these rooms mostly wait, also for programs. Three processes begin with them and go first when they may go on.
WAITING: Final = (
    "api/adapters",
    "api/http",
    "connect",
    "lab",
    "ops",
    "providers",
    "stack",
    "streams/runtime",
    "telemetry",
)
FIRST_AT_WAITING: Final = 3
NICENESS: Final = 10
# A file's number in a pipe, which a process takes whole.
NUMBER_BYTES: Final = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--processes", type=int, default=1, help="how many processes run the tests")


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Fork, and report what the processes find; a process that ends before its tests do fails the run.

    None, so that pytest runs the tests itself, for a single process.
    """
    count: int = session.config.option.processes
    if count == 1 or session.config.option.collectonly or session.testsfailed:
        return None
    # The largest first, so that none is left with much to do at the end.
    files = sorted((list(items) for _, items in groupby(session.items, lambda item: item.path)), key=len, reverse=True)
    rooms = tuple(f"{HERE / room}/" for room in WAITING)
    waits = [str(file[0].path).startswith(rooms) for file in files]
    queues = [queue(number for number, each in enumerate(waits) if each is waiting) for waiting in (True, False)]
    processes: dict[Connection, int] = {}
    for number in range(count):
        reader, writer = Pipe(duplex=False)
        if not (pid := os.fork()):
            for each in (reader, *processes):
                each.close()
            if number >= FIRST_AT_WAITING:
                os.nice(NICENESS)
                queues.reverse()
            become_one_of_several(session.config, writer)
            run(session, taken(files, queues))
            return True
        writer.close()
        processes[reader] = pid
    ended = report_all(session.config, list(processes))
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in processes.values()]
    all_ended = ended == len(session.items) or session.shouldfail
    if not all_ended or not set(codes) <= {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        pytest.exit(f"{ended} of {len(session.items)} tests ended, and their processes with {codes}", returncode=1)
    return True


def queue(numbers: Iterable[int]) -> int:
    """A pipe with these numbers in it, to read until nothing comes."""
    reader, writer = os.pipe()
    os.write(writer, b"".join(number.to_bytes(NUMBER_BYTES) for number in numbers))
    os.close(writer)
    return reader


def taken(files: list[list[pytest.Item]], queues: list[int]) -> Iterator[pytest.Item]:
    """The tests of one file after another that no other process has taken."""
    for each in queues:
        while number := os.read(each, NUMBER_BYTES):
            yield from files[int.from_bytes(number)]


def run(session: pytest.Session, items: Iterator[pytest.Item]) -> None:
    """Run tests until one is the last that may fail; what the next one needs, too, stays."""
    item = next(items, None)
    while item is not None and not session.shouldfail:
        following = next(items, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        item = following


def become_one_of_several(config: pytest.Config, reports: Connection) -> None:
    """Send reports instead of printing them, keep nothing for the next run, and capture output in files of its own."""
    plugins = config.pluginmanager
    for name in ("terminalreporter", "lfplugin", "nfplugin", "stepwiseplugin"):
        plugins.unregister(name=name)
    plugins.register(Sender(config, reports))
    capture: Any = plugins.get_plugin("capturemanager")
    capture.stop_global_capturing()
    capture.start_global_capturing()
    capture.suspend_global_capture(in_=True)


class Sender:
    """Sends each report to the first process."""

    def __init__(self, config: pytest.Config, reports: Connection) -> None:
        self._config = config
        self._reports = reports

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reports.send(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))


def report_all(config: pytest.Config, connections: list[Connection]) -> int:
    """Report what comes from these, until all have ended. How many tests did."""
    ended = 0
    while connections:
        for ready in wait(connections):
            assert isinstance(ready, Connection)
            try:
                sent = ready.recv()
            except EOFError:
                connections.remove(ready)
                continue
            report = config.hook.pytest_report_from_serializable(config=config, data=sent)
            config.hook.pytest_runtest_logreport(report=report)
            ended += report.when == "teardown"
    return ended

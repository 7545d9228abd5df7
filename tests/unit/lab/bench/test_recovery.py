import logging

import pytest

from connect.topics import changelog
from lab.bench.recovery import READ
from streams.runtime.changelog import Progress


def test_the_records_read_in_recoveries_are_found_in_a_workers_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for count in (3, 4_000):
            progress = Progress(changelog("ledger"), count)
            progress.read(count)
            progress.end()
    assert READ.findall(caplog.text) == ["3", "4000"]

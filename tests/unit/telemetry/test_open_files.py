"""A process that serves many asks for more open files than a shell allows."""

import subprocess
import sys

import pytest

import api.__main__
import streams.__main__

ASK = """
import resource, sys
from telemetry.open_files import raise_limit
limit, most = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
raise_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("limit", "most", "now"), [(256, 1_024, 1_024), (1_024, 1_024, 1_024)])
def test_the_limit_is_what_the_system_lets_it_have(limit: int, most: int, now: int) -> None:
    told = subprocess.run(
        (sys.executable, "-c", ASK, str(limit), str(most)), capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == [str(now), str(most)]


@pytest.mark.parametrize("process", [api.__main__, streams.__main__])
def test_processes_with_many_clients_or_tables_ask_for_it(process: object) -> None:
    assert "raise_limit" in process.main.__code__.co_names  # type: ignore[attr-defined]

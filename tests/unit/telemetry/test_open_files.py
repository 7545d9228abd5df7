"""A process that serves many asks for more open files than a shell allows."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("process", ["api.__main__", "streams.__main__"])
def test_processes_with_many_clients_or_tables_ask_for_it(process: str) -> None:
    """Their text is looked at: importing a worker's chooses the event loop of all tests to come."""
    spec = find_spec(process)
    assert spec is not None
    assert "    raise_limit()\n" in Path(str(spec.origin)).read_text()

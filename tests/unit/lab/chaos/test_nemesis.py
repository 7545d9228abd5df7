"""The nemesis, on processes that live only here."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.chaos.history import History
from lab.chaos.nemesis import Nemesis
from lab.chaos.proxy import Proxy
from lab.chaos.schedule import Fault, FaultKind


@pytest.fixture
def stack() -> Iterator[Any]:
    with subprocess.Popen((sys.executable, "-c", "import time; time.sleep(60)")) as sleeper:
        yield SimpleNamespace(dead=list, processes={"kafka": sleeper})
        sleeper.kill()


def test_faults_that_are_late_when_the_sale_ends_are_left_out(stack: Any, tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    nemesis = Nemesis(stack, cast("Proxy", None), history, lambda text: None)
    with closing(history):
        nemesis.carry_out([Fault(0.0, FaultKind.PAUSE, "kafka", seconds) for seconds in (0.3, 0.1)], 0.2)
    assert dict(nemesis.survived) == {"pause kafka": 1}

"""``make rehearsal FROM=…``: sell with another checkout, start this one on its data, and hold the promises against it.

So a new version of the code or of the servers meets what the old one has written.
"""

import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import rich_click as click

from connect.polling import Polling
from lab.demo.drill import SOLD_BEFORE, DrillFailed, Shop, console, minutes, require, start_whole, told
from lab.target import target_of
from lab.trial_stack import TrialStack
from stack import child
from stack.backup import operate
from stack.child import Command
from stack.errors import StackError
from stack.settings import StackSettings
from stack.user_path import UserPath
from streams.search.mapping import ALIAS, VERSION

# What `make run` prints when it has started everything.
STARTED: Final = "Ctrl-C stops everything"
START_TIMEOUT_S: Final = 300
STOP_TIMEOUT_S: Final = 60


@click.command(name="rehearsal")
@click.argument("checkout", type=UserPath(path_type=Path, exists=True, file_okay=False))
def command(checkout: Path) -> None:
    """Sell with CHECKOUT, an older one with a .venv, start this one on its data, check; with servers of its own."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="turnstile-rehearsal-") as folder:
            rehearse(checkout, Path(folder))
    except StackError as error:
        sys.exit(f"the rehearsal failed: {error}")
    console.print(f"[green]every promise holds[/green] after the upgrade; {minutes(began)} in all")


def rehearse(checkout: Path, folder: Path) -> None:
    """Carry out the rehearsal in an empty folder. Raises StackError."""
    stack = TrialStack.on_free_ports(folder / "home")
    shop = Shop(target_of(stack.environment, stack.settings.mail_port))
    try:
        with told("the other checkout and its sales"), running_from(checkout, stack.settings, folder / "run.log"):
            shop.open()
            shop.sell(SOLD_BEFORE)
        with told("this checkout on its data, checked"):
            start_whole(stack)
            shop.check(list(shop.bought), [])
            if index_version(stack) != VERSION:
                operate(stack, "reindex")
            operate(stack, "verify")
    finally:
        stack.remove()


def index_version(stack: TrialStack) -> int:
    """The version of the index that the search uses. Where it is not the code's, the worker waits for a new one."""
    url = f"{stack.environment['TURNSTILE_ELASTICSEARCH_URL']}/{ALIAS}/_mapping"
    [index] = httpx.get(url, trust_env=False).raise_for_status().json().values()
    return int(index["mappings"]["_meta"]["version"])


@contextmanager
def running_from(
    checkout: Path, settings: StackSettings, log: Path, stop_within_s: float = STOP_TIMEOUT_S
) -> Iterator[None]:
    """What `make run` starts in that checkout, with the data folder and the ports of these settings.

    Raises DrillFailed, with the log's last lines, if it can't be started or doesn't end when it is asked.
    """
    python = checkout.absolute() / ".venv" / "bin" / "python"
    require(python.exists(), f"{checkout} has no .venv: run `make install` there")
    ports = settings.server_ports() | settings.app_ports()
    environment = {name: str(port) for name, port in ports.items()} | {"TURNSTILE_HOME": str(settings.home)}
    process = child.spawn(Command((str(python), "-m", "stack", "run"), log, env=environment, cwd=checkout))
    try:
        polling = Polling(START_TIMEOUT_S)
        while STARTED not in log.read_text():
            if process.poll() is not None or not polling.left:
                raise DrillFailed(f"{checkout} did not start:\n{child.last_lines(log)}")
            polling.wait()
        yield
    finally:
        ended = child.stop(process, signal.SIGINT, stop_within_s)
    require(ended, f"{checkout} did not stop within {stop_within_s:.0f} s")

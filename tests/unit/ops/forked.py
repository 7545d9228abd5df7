"""Runs ``turnstile`` in processes of their own, forked from one that has the commands loaded: loading takes longest."""

import os
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Final, NamedTuple

COMMANDS: Final = ("dlq", "ledger", "reindex", "replay", "search_access", "status", "verify")
# It is deleted when pytest ends, after the folders of its run: it must not be among them.
get_temp_dir()
# Its server starts with the first process, imports these and waits; it ends with the tests.
FORKS: Final = get_context("forkserver")
FORKS.set_forkserver_preload(["ops.__main__", *(f"ops.commands.{name}" for name in COMMANDS)])
TIMEOUT_S: Final = 60


class Ended(NamedTuple):
    """What is left of a command: its exit code, what it wrote, and what it wrote to standard error."""

    code: int | None
    output: str
    errors: str


def run_forked(folder: Path, variables: Mapping[str, str], *commands: str) -> dict[str, Ended]:
    """Run commands at once, with these environment variables beside the tests' own; their output goes through files."""
    places = {command: folder / str(number) for number, command in enumerate(commands)}
    running = {
        command: FORKS.Process(target=_run, args=(command.split(), {**os.environ, **variables}, str(place)))
        for command, place in places.items()
    }
    for process in running.values():
        process.start()
    for process in running.values():
        process.join(TIMEOUT_S)
        process.kill()  # one that hangs: what it wrote until then is still told
        process.join()
    return {
        command: Ended(process.exitcode, *(places[command].with_suffix(end).read_text() for end in (".1", ".2")))
        for command, process in running.items()
    }


def _run(words: list[str], variables: dict[str, str], place: str) -> None:
    from ops.__main__ import main

    os.environ.clear()
    os.environ.update(variables)
    for descriptor in (1, 2):
        os.dup2(os.open(f"{place}.{descriptor}", os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    sys.argv[1:] = words
    main()

"""``python -m stack``: the embedded stack. People use it through make and ``./turnstile``."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from shlex import quote
from typing import Any

import rich_click as click

from settings import Settings, faults_named, name_misspelt
from settings.workers import ROLES
from stack import backup, supervisor
from stack.apps import one_more
from stack.backup_sets import KEEP, back_up_all, restore_all
from stack.child import end_with
from stack.embedded import Stack
from stack.errors import StackError
from stack.home import Home
from stack.ports import listens
from stack.progress import ProgressPrinter
from stack.settings import StackSettings
from stack.user_path import UserPath

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What ends a command with one line: an OSError names the file or folder that can't be used.
FAILURES = (StackError, OSError)


class _Stack(click.RichGroup):
    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. What ends it is told in a line."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # nobody reads the output: click ends the command without a word
        except FAILURES as error:
            sys.exit(f"{error}")


@click.group(cls=_Stack)
def main() -> None:
    """Run Turnstile on real servers, without containers or installed software."""


@main.command()
@click.option("--zipkin", is_flag=True, help="Start Zipkin too, and trace every request.")
def run(*, zipkin: bool) -> None:
    """Start everything: servers, workers, API, demonstration catalogue. Ctrl-C stops it."""
    _run(supervisor.run, StackSettings.model_validate({"zipkin": True} if zipkin else {}))


@main.command()
def servers() -> None:
    """Start the five servers and keep them until Ctrl-C."""
    _run(_servers, StackSettings())


@main.command()
@click.argument("role", type=click.Choice(list(ROLES)), default="ledger")
def worker(role: str) -> None:
    """Run one more worker of a ROLE (default: ledger) beside those of `run`, in this terminal; Ctrl-C takes it away."""
    settings = StackSettings.remembered()
    if not listens(settings.kafka_port):
        sys.exit(f"no Kafka on port {settings.kafka_port}: start `make run` first, in another terminal")
    command = one_more(settings, role).command()
    os.chdir(command.cwd or ".")
    os.execve(command.argv[0], command.argv, {**os.environ, **command.env})  # noqa: S606 (there is nothing to quote)


@main.command()
def env() -> None:
    """Print the environment of the deployed parts, to `eval` in a shell."""
    for name, value in Stack(StackSettings.remembered()).environment.items():
        click.echo(f"export {name}={quote(value)}")


@main.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def operate(arguments: tuple[str, ...]) -> None:
    """The operator's command, `turnstile`, on what `run` started. TURNSTILE_ variables come first."""
    try:
        environment = {**Stack(StackSettings.remembered()).environment, **os.environ}
    except FAILURES as error:
        print(f"turnstile: {error}", file=sys.stderr)
        sys.exit(2)  # as the command itself; 1 would be a finding
    # In the place of this process: it gets each signal itself, and its end is the command's.
    os.execve(sys.executable, (sys.executable, "-m", "ops", *arguments), environment)  # noqa: S606 (as above)


@main.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def back_up(file: Path) -> None:
    """Write PostgreSQL's database of what `run` started to FILE."""
    backup.backup(Stack(StackSettings.remembered()), file.absolute())


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(file: Path) -> None:
    """Restore the database from FILE and bring the rest in step. Nothing may run meanwhile; then `run` again."""
    _run(lambda stack, _: backup.restore(stack, file.absolute()), StackSettings.remembered())


@main.command(name="backup-all")
@click.argument("folder", type=UserPath(path_type=Path, file_okay=False))
@click.option("--keep", type=click.IntRange(min=1), default=KEEP, show_default=True, help="How many sets to keep.")
def back_up_everything(folder: Path, keep: int) -> None:
    """Write a set of backups of what `run` started into FOLDER: database, secrets, ledger. Remove the oldest sets."""
    click.echo(back_up_all(Stack(StackSettings.remembered()), folder.absolute(), keep))


@main.command(name="restore-all")
@click.argument("made", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="SET")
def restore_everything(made: Path) -> None:
    """Make an empty data folder what a SET of backups was taken of; then `run`."""
    _run(lambda stack, _: restore_all(stack, made.absolute()), StackSettings.remembered())


@main.command()
def clean() -> None:
    """Delete the data folder."""
    settings = StackSettings.remembered()
    Home(settings.home, settings.postgres_folder).remove()


@main.command()
def jars() -> None:
    """Write the lock files of the embedded servers' jars again, by stack/jars/roots.toml."""
    lock = resolve_name("stack.jars.locking:lock")  # what it is made with, no other command has to load
    for line in lock():
        click.echo(line)


def _run(action: Callable[[Stack, ProgressPrinter], None], settings: StackSettings) -> None:
    name_misspelt([*Settings.model_fields, *StackSettings.model_fields], os.environ)
    steps = ProgressPrinter()
    stack = Stack(settings, steps.report)
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    if "MAKELEVEL" in os.environ:
        end_with(signal.SIGTERM)  # a signal that kills make is meant for this process
    error = ""
    try:
        action(stack, steps)
    except KeyboardInterrupt:
        steps.quiet()
        steps.say("stopping")
    except FAILURES as failure:
        steps.quiet()
        error = str(failure)
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)  # stopping takes seconds and must not be interrupted
    stack.stop()
    sys.exit(error or None)


def _servers(stack: Stack, steps: ProgressPrinter) -> None:
    stack.start()
    steps.say("all servers are ready; Ctrl-C stops them")
    signal.pause()


if __name__ == "__main__":
    with faults_named():
        main()

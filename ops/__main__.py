"""``turnstile``, or ``python -m ops``: the command for people. Each subcommand's help says when to use it."""

import io
import logging
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pkgutil import iter_modules
from typing import Any, Final

import rich_click as click

from ops import commands
from ops.lazy_commands import LazyCommands
from telemetry.escapes import escaped

# The modules of ops/commands.
COMMANDS: Final = tuple(sorted(module.name.replace("_", "-") for module in iter_modules(commands.__path__)))
# A command that ends with one of these ends with exit code 2: module and name. Each command loads only what it needs.
ERRORS: Final = (
    ("kafka.errors", "KafkaError"),
    ("providers.port", "ProviderUnavailable"),
    ("aiokafka.errors", "KafkaError"),
    ("psycopg", "Error"),
    ("elastic_transport", "TransportError"),
    ("elasticsearch", "ApiError"),
    ("connect.errors", "ConnectError"),
    ("connect.connectors.rest_client", "ConnectUnavailable"),
    ("tables.errors", "TurnstileError"),
    # A file or folder that can't be read or written; a socket.
    ("builtins", "OSError"),
)
# Their loggers repeat what the command says in its one line.
CLIENTS: Final = ("kafka", "aiokafka")
# Exit codes, those of a shell's own programs: 1 would be a finding.
INTERRUPTED: Final = 130
UNREAD: Final = 141


class _Turnstile(click.RichGroup):
    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Read the command line, and print the help where that is asked for."""
        with _ending():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _ending():
            return super().invoke(ctx)


@contextmanager
def _ending() -> Iterator[None]:
    """End a command that is interrupted, or whose output nobody reads any more, with an exit code of its own."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError as error:
        if not _is_unread():
            raise ConnectionError(error) from error  # of a server; click would end with 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is still to be written
        sys.exit(UNREAD)


def _is_unread() -> bool:
    """Whether nobody reads what this process prints."""
    streams = select.poll()
    for descriptor in (1, 2):
        streams.register(descriptor, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in streams.poll(0))


@click.group(cls=_Turnstile, context_settings={"help_option_names": ["-h", "--help"]})
def turnstile() -> None:
    """Look at a running Turnstile and put it right. The settings (TURNSTILE_…) say which one.

    Start with `status`; it names what to do next. These change data: `dlq replay`, `dlq discard`, `reindex`,
    `restored`, `holds end` and the verbs of `connectors` and `ledger`. A deployment runs `administrator`,
    `kafka-access`, `search-access` and `secrets` once.
    """


turnstile.commands = LazyCommands({name: f"ops.commands.{name.replace('-', '_')}:command" for name in COMMANDS})


def main() -> None:
    """Run the command line. Exit code 2 with one line where a server or the system does not answer or refuses."""
    _open_streams()
    for name in CLIENTS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        turnstile(prog_name="turnstile")
    except expected_errors() as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        print(f"turnstile: {escaped(lines[0])}", file=sys.stderr)
        sys.exit(2)


def _open_streams() -> None:
    """Let all output be written, also to a stream that is closed, or that lacks a character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 (open until the process ends)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def expected_errors() -> tuple[type[Exception], ...]:
    """Those of ERRORS whose module is loaded; no other can have been raised."""
    return tuple(getattr(sys.modules[module], name) for module, name in ERRORS if module in sys.modules)


if __name__ == "__main__":
    main()

"""``turnstile``, or ``python -m ops``: the command for people. Each subcommand's help says when to use it."""

import logging
import sys
from typing import Final

import rich_click as click

from ops.lazy_commands import LazyCommands
from telemetry.escapes import escaped

COMMANDS: Final = (
    *("actions", "administrator", "connectors", "dlq", "docs", "event", "gate", "holds", "kafka-access", "ledger"),
    *(
        "payments",
        "reindex",
        "replay",
        "restored",
        "search-access",
        "secrets",
        "status",
        "topics",
        "verify",
        "wal-segment",
        "why",
    ),
)
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def turnstile() -> None:
    """Look at a running Turnstile and put it right. The settings (TURNSTILE_…) say which one.

    Start with `status`; it names what to do next. These change data: `dlq replay`, `dlq discard`, `reindex`,
    `restored`, `holds end` and the verbs of `connectors` and `ledger`. A deployment runs `administrator`,
    `kafka-access`, `search-access` and `secrets` once.
    """


turnstile.commands = LazyCommands({name: f"ops.commands.{name.replace('-', '_')}:command" for name in COMMANDS})


def main() -> None:
    """Run the command line. Exit code 2 with one line where a server or the system does not answer or refuses."""
    for name in CLIENTS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        turnstile(prog_name="turnstile")
    except expected_errors() as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        print(f"turnstile: {escaped(lines[0])}", file=sys.stderr)
        sys.exit(2)


def expected_errors() -> tuple[type[Exception], ...]:
    """Those of ERRORS whose module is loaded; no other can have been raised."""
    return tuple(getattr(sys.modules[module], name) for module, name in ERRORS if module in sys.modules)


if __name__ == "__main__":
    main()

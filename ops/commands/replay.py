"""``turnstile replay``: the ledger decided once more from the command log, and compared."""

import json
import sys
import tempfile
from pathlib import Path

import rich_click as click

from ops.replay import Comparison, replay
from ops.terminal import SHOWN_LINES_MAX, console, json_option, safe
from settings import settings

FIELDS = ("partition", "commands", "same", "different")


@click.command(name="replay")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the scratch tables in this folder.")
@json_option
def command(keep: Path | None, *, as_json: bool) -> None:
    """Rebuild the ledger from the command log in a scratch table: would everything still be decided the same way?

    Before an upgrade that touches the rules, or when a decision is doubted. Read-only; about 50 s of a core for a
    million purchases. Exit code 1 if a record differs, 2 if the log no longer reaches back to its beginning.
    """
    done = []
    with tempfile.TemporaryDirectory(prefix="turnstile-replay-") as folder:
        for one in replay(settings(), keep or Path(folder)):
            done.append(one)
            if not as_json:
                _print(one)
    if as_json:
        click.echo(json.dumps([{name: getattr(one, name) for name in FIELDS} for one in done]))
    sys.exit(any(one.different for one in done))


def _print(one: Comparison) -> None:
    verdict = f"[red]{len(one.different)} differ[/]" if one.different else "[green]equal[/]"
    console.print(f"partition {one.partition}: {one.commands} commands, {one.same} records, {verdict}")
    for text in one.different[:SHOWN_LINES_MAX]:
        console.print(f"  {safe(text)}")

"""What every command prints with: one console, and text of others made harmless."""

import math
import sys
from typing import Any, Final

import rich_click as click
from rich.console import Console
from rich.markup import escape

from telemetry.escapes import escaped

# Each part stays one line for grep, however long.
PIPED_COLUMNS: Final = 200
# Findings that are printed of each kind.
SHOWN_LINES_MAX: Final = 20


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError (ops/__main__.py): rich would end with exit code 1, which means findings."""
        raise BrokenPipeError


class Duration(click.FloatRange):
    """A time from 0 to ``max`` of its unit. Click takes NaN to be in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The time. Fails for one that is out of the range, or none."""
        found = super().convert(value, param, ctx)
        return self.fail(f"{value} is not a time", param, ctx) if math.isnan(found) else found


console: Final = _Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_COLUMNS)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def safe(text: str) -> str:
    """The text without anything that a terminal or rich's markup would obey."""
    return escape(escaped(text))

"""Text that others wrote, for rich on a terminal."""

from rich.markup import escape

from telemetry.escapes import escaped


def safe(text: str) -> str:
    """Nothing that a terminal or rich's markup would obey."""
    return escape(escaped(text))

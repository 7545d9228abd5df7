"""Ids as text, as by str() at a quarter of its cost."""

from typing import cast
from uuid import UUID

from msgspec import to_builtins


def text_of(id_: UUID) -> str:
    """Such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8."""
    return cast("str", to_builtins(id_))

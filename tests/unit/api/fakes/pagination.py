"""Pages of lists, as PostgreSQL gives them."""

from collections.abc import Iterable
from typing import TypeVar

from api.schemas.pagination import Listed, Place

Item = TypeVar("Item", bound=Listed)


def newest(items: Iterable[Item], limit: int, after: Place | None) -> list[Item]:
    """The page as PostgreSQL would give it."""
    ordered = sorted(items, key=lambda item: (item.created_at, item.id), reverse=True)
    return [it for it in ordered if after is None or (it.created_at, it.id) < (after.created_at, after.id)][:limit]

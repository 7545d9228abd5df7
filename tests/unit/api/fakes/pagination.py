"""Pages of lists, as PostgreSQL gives them."""

from collections.abc import Iterable
from typing import TypeVar

from api.schemas.pagination import ListItem, PagePosition

Item = TypeVar("Item", bound=ListItem)


def newest(items: Iterable[Item], limit: int, after: PagePosition | None) -> list[Item]:
    """The page as PostgreSQL would give it."""
    ordered = sorted(items, key=lambda item: (item.created_at, item.id), reverse=True)
    return [it for it in ordered if after is None or (it.created_at, it.id) < (after.created_at, after.id)][:limit]

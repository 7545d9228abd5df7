"""Pages of lists, bounded in items and bytes."""

from typing import Any, Final

import msgspec
from msgspec import Struct

PAGE_MAX_BYTES: Final = 512 * 1024


class ListAnswer(Struct, frozen=True):
    """Some items, and the cursor of the next page; null on the last. A page may have fewer items than its limit."""

    items: list[Any]
    next: str | None


class PageItems:
    """The items of a page while it is collected, encoded one by one."""

    def __init__(self, limit: int) -> None:
        self.items: list[Any] = []
        self._limit = limit
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether the page takes no more items. A single item may be larger than PAGE_MAX_BYTES."""
        return len(self.items) >= self._limit or self._bytes >= PAGE_MAX_BYTES

    def add(self, item: Struct) -> None:
        encoded = msgspec.json.encode(item)
        self._bytes += len(encoded)
        self.items.append(msgspec.Raw(encoded))

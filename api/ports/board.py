"""The board of the pipeline."""

from collections.abc import AsyncIterator
from typing import Protocol

from api.board.snapshot import BoardSnapshot


class Board(Protocol):
    """The board of the pipeline."""

    async def glance(self) -> BoardSnapshot:
        """The board as it is now; what has to be probed first comes with a later glance."""

    def frames(self) -> AsyncIterator[bytes]:
        """A server-sent event each second, for the loop. Refused: busy."""

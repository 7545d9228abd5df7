"""The board of the pipeline."""

from collections.abc import AsyncIterator
from typing import Protocol

from api.board.board_text import Said
from api.board.snapshot import BoardSnapshot


class Board(Protocol):
    """The board of the pipeline."""

    async def glance(self) -> BoardSnapshot:
        """The board as it is now; what has to be probed first comes with a later glance."""

    def frames(self, said: Said) -> AsyncIterator[bytes]:
        """A server-sent event each second, for the loop, with its texts as ``said``. Refused: busy."""

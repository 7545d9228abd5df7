"""The board of the pipeline."""

from collections.abc import AsyncIterator
from typing import Protocol

from api.board.snapshot import Snapshot


class Board(Protocol):
    """What the pipeline does now, for those who watch it."""

    async def glance(self) -> Snapshot:
        """The board as it is now; parts that had to be asked first come with a later look."""

    def frames(self) -> AsyncIterator[bytes]:
        """A server-sent event each second, for the loop. Refused: busy."""

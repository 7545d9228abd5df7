"""The board."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from api.board.board_text import Said
from api.board.components import unknown_components
from api.board.rates import DecisionRates
from api.board.snapshot import BoardSnapshot, frame
from tests.unit.api.fakes.clock import NOW


@dataclass
class FakeBoard:
    """One snapshot, sent twice at most."""

    now: BoardSnapshot = field(
        default_factory=lambda: BoardSnapshot(
            NOW, DecisionRates().report(NOW.timestamp()), (), unknown_components(), ()
        )
    )

    async def glance(self) -> BoardSnapshot:
        return self.now

    async def frames(self, said: Said) -> AsyncIterator[bytes]:
        for _ in range(2):
            yield frame(self.now, said)

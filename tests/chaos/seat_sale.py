"""A sale of seats whose hall changes: by name and the best available, held, confirmed, given back and exchanged."""

import json
from random import Random

from msgspec.structs import replace

from tables.messages.commands import Cancel, Hold, encode_command
from tests.chaos.world import World
from tests.unit.tables.halls import SeatCommands

# No hold ends within the test.
HOLD_S = 3_600


class SeatSale:
    """Writes random commands about one hall to a world's log; the same ones for the same seed."""

    def __init__(self, world: World, seed: int = 0) -> None:
        self.world = world
        self.commands = SeatCommands(Random(seed))

    def go_on(self, count: int) -> None:
        """Send so many commands more, and wait until Kafka has them."""
        for _ in range(count):
            command = self.commands.command()
            if isinstance(command, Hold):
                command = replace(command, seconds=HOLD_S)
            if not isinstance(command, Cancel) or command.is_repeatable:
                self.world.send(json.loads(encode_command(command)))
        self.world.flush()

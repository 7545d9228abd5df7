"""How many requests may wait, and that no command is sent twice at once."""

from typing import Final

from api.ports.ledger import BuyersCommand
from api.problems import BUSY_FOR_S, Refused, retry_later
from tables.messages.commands import Cancel, Confirm

WAITING_MAX_REQUESTS: Final = 1_000


class ConcurrencyLimit:
    """At most ``requests_max`` requests inside ``with``; one more is refused."""

    def __init__(self, requests_max: int) -> None:
        self._requests_max = requests_max
        self._inside = 0

    def check(self) -> None:
        """Refused: busy."""
        if self._inside >= self._requests_max:
            raise retry_later("busy", BUSY_FOR_S)

    def __enter__(self) -> None:
        """Refused: busy."""
        self.check()
        self._inside += 1

    def __exit__(self, *_: object) -> None:
        self._inside -= 1


class RunningCommands:
    """The commands that are sent and not answered yet."""

    def __init__(self) -> None:
        self._keys: set[tuple[int, ...]] = set()

    def __len__(self) -> int:
        return len(self._keys)

    def begin(self, command: BuyersCommand) -> tuple[int, ...]:
        """The key to end it by. Refused: still-running."""
        key = _key(command)
        if key in self._keys:
            raise Refused("still-running")
        self._keys.add(key)
        return key

    def end(self, key: tuple[int, ...]) -> None:
        """The command may be sent again."""
        self._keys.discard(key)


def _key(command: BuyersCommand) -> tuple[int, ...]:
    """Equal for a command that is sent twice. Integers are hashed and compared in C."""
    if isinstance(command, (Confirm, Cancel)):
        return command.event.int, (command.request or command.purchase).int, command.account.int
    return command.event.int, command.purchase.int

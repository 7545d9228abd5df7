"""What a decision costs where something has grown: ticket types, events, purchases to end. In process, without servers.

Each cost is the least of TRIES, since whatever else the machine does only adds to it.
"""

import random
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import Show, definition, purchases, shows
from lab.bench.partition import BATCH_COMMANDS, Partition
from tables.ledger.ledger import Ledger
from tables.messages.commands import Command, DefineEvent, EndPurchases
from tables.messages.outcomes import encode_outcome
from tables.messages.statuses import EventStatus

SEED: Final = 9
TRIES: Final = 3
FEW_TYPES, MOST_TYPES = 3, 200
FEW_EVENTS, MANY_EVENTS = 64, 20_000
PURCHASES: Final = 20_000
CANCELLED_EVENTS: Final = 1_000
PURCHASES_EACH: Final = 20


class _Partition(Partition):
    """Builds every outcome before it encodes it."""

    def _apply(self, ledger: Ledger, offset: int, command: Command) -> None:
        for outcome in ledger.apply(offset, offset, command).outcomes:
            encode_outcome(outcome)


def growth(lab: Lab) -> Figures:
    """Ratios of what a decision costs where there is much of something to where there is little."""
    with lab.step("few ticket types and events"):
        few = _decision_s(lab, lab.count(FEW_EVENTS), FEW_TYPES)
    with lab.step(f"{MOST_TYPES} ticket types"):
        types = _decision_s(lab, lab.count(FEW_EVENTS), MOST_TYPES)
    with lab.step(f"{MANY_EVENTS:,} events"):
        events = _decision_s(lab, lab.count(MANY_EVENTS), FEW_TYPES)
    with lab.step("purchases of cancelled events"):
        apart, together = _ending_s(lab, 1), _ending_s(lab, BATCH_COMMANDS)
    return {
        "ledger.growth_types_ratio": types / few,
        "ledger.growth_events_ratio": events / few,
        "ledger.growth_endings_ratio": together / apart,
    }


def _decision_s(lab: Lab, events: int, types: int) -> float:
    on_sale = shows(events, types, 1, random.Random(SEED))
    commands = [order for _, order in purchases(on_sale, lab.count(PURCHASES), random.Random(SEED))]
    return min(_bought(on_sale).decide(commands) for _ in range(TRIES))


def _bought(on_sale: Sequence[Show]) -> _Partition:
    partition = _Partition()
    partition.decide([definition(show) for show in on_sale])
    return partition


def _ending_s(lab: Lab, batch_commands: int) -> float:
    """The time for ending the purchases of events that are cancelled, with so many steps in a batch."""
    on_sale = shows(lab.count(CANCELLED_EVENTS), 1, 1, random.Random(SEED))
    bought = [order for _, order in purchases(on_sale, PURCHASES_EACH * len(on_sale), random.Random(SEED))]
    return min(_ended_s(on_sale, bought, batch_commands) for _ in range(TRIES))


def _ended_s(on_sale: Sequence[Show], bought: Sequence[Command], batch_commands: int) -> float:
    partition = _bought(on_sale)
    partition.decide(bought)
    partition.decide([_cancelled(show) for show in on_sale])
    return partition.decide([EndPurchases(show.event, 2) for show in on_sale], batch_commands)


def _cancelled(show: Show) -> DefineEvent:
    command = definition(show, version=2)
    return replace(command, definition=replace(command.definition, status=EventStatus.CANCELED))


MEASUREMENTS: Final = (
    Measurement("ledger.growth", "decisions with 200 ticket types, 20,000 events, many purchases to end", growth),
)

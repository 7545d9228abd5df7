"""The workload of a seed: the operations of all generators, each at its own rate."""

from collections.abc import Callable, Iterator
from typing import Final

from lab.chaos.workload.buyers import Buyers
from lab.chaos.workload.catalogue import Catalogue, Show
from lab.chaos.workload.disturbers import Disturbers
from lab.chaos.workload.organizers import Organizers
from lab.chaos.workload.producers import Producers
from lab.chaos.workload.timeline import Timeline

REQUESTS_PER_S: Final = 14.0
COMMANDS_PER_S: Final = 8.0
CHANGE_EVERY_S: Final = 6.0
POISON_EVERY_S: Final = 3.0
BOMB_EVERY_S: Final = 15.0
ABORT_EVERY_S: Final = 3.0
COPY_EVERY_S: Final = 1.0


class Workload:
    """The operations of a run of so many ``seconds``, in the order of their times."""

    def __init__(self, seed: int, seconds: float, partitions: int, copy_every_s: float = COPY_EVERY_S) -> None:
        self.catalogue = Catalogue(seed, seconds)
        timeline = Timeline(seed, self.catalogue, partitions)
        organizers = Organizers(timeline)
        organizers.make_events()
        for rate, add in _generators(timeline, organizers, copy_every_s):
            at = timeline.rng.expovariate(rate)
            while at < seconds:
                add(at)
                at += timeline.rng.expovariate(rate)
        self.operations = sorted(timeline.operations, key=lambda operation: operation.at)

    @property
    def before(self) -> list[Show]:
        """The events that are there before the run begins."""
        return [show for show in [*self.catalogue.shows, *self.catalogue.drafts] if not show.at]


def _generators(
    timeline: Timeline, organizers: Organizers, copy_every_s: float
) -> Iterator[tuple[float, Callable[[float], None]]]:
    """What adds an operation, and how many of them a second there are on average."""
    buyers, producers, disturbers = Buyers(timeline), Producers(timeline), Disturbers(timeline)
    yield REQUESTS_PER_S, buyers.ask
    yield COMMANDS_PER_S, producers.command
    yield 1 / CHANGE_EVERY_S, organizers.change
    yield 1 / POISON_EVERY_S, disturbers.poison
    yield 1 / BOMB_EVERY_S, disturbers.bomb
    yield 1 / ABORT_EVERY_S, producers.abort
    yield 1 / copy_every_s, disturbers.copy

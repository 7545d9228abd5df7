"""Keeps the parts of a stack running, each independently: a failed part holds up only those that need it.

The life cycle of each part is a generator, which is advanced a step at a time, so that all of them share one thread
(see stack/child.py).
"""

import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Final

from stack import reasons, state_file
from stack.apps import CONNECTORS
from stack.embedded import Stack
from stack.errors import ServerFailed, StackError
from stack.member import StackMember
from stack.part import PartPhase, SupervisedPart

STEP_S: Final = 0.05
IDLE_STEP_S: Final = 0.5
ASK_EVERY_S: Final = 15.0
# How often in a row the start of PostgreSQL, all brokers or the migrations may fail before the stack gives up.
FAILED_STARTS_MAX: Final = 5
# After their restart new rows must be seen to flow again.
FEED_CONNECTORS: Final = frozenset({"kafka", "postgres", "connect"})

Clock = Callable[[], float]


class Supervision:
    """Supervises the named parts. ``tell`` is called with a part and the news about it."""

    def __init__(
        self,
        stack: Stack,
        names: list[str],
        tell: Callable[[SupervisedPart, str], object],
        clock: Clock = time.monotonic,
    ) -> None:
        self.stack = stack
        self.parts = {name: SupervisedPart(name) for name in names}
        self._tell = tell
        self._clock = clock
        self._cycles = {name: self._cycle(name) for name in names}
        self._noted: object = None

    def step(self) -> None:
        """Advance every part a step. Raises StackError if a part that all others need can't run."""
        for name, cycle in list(self._cycles.items()):
            if next(cycle, None) is None:
                del self._cycles[name]
        self._say_news()
        self._note()
        self._check_vital()

    def pause(self) -> None:
        """Sleep a moment: shorter while a part is starting."""
        starting = any(part.phase is PartPhase.STARTING for part in self.parts.values())
        time.sleep(STEP_S if starting else IDLE_STEP_S)

    def close(self) -> None:
        """End the supervision; running processes go on."""
        for cycle in self._cycles.values():
            cycle.close()
        state_file.remove(self.stack.settings.home)

    @property
    def is_settled(self) -> bool:
        """Whether every part works or is down, so that nothing is waited for."""
        return all(part.works or self._is_down(name) for name, part in self.parts.items())

    @property
    def is_whole(self) -> bool:
        """Whether every part works and none complains."""
        return all(part.works and not part.reason for part in self.parts.values())

    def down(self) -> dict[str, str]:
        """The parts that don't work or complain, each with the reason; late ones are asked for it."""
        return {name: self._reason(part) for name, part in self.parts.items() if part.reason or not part.works}

    def _cycle(self, name: str) -> Generator[str]:
        part, member = self.parts[name], self.stack.members[name]
        while part.phase is not PartPhase.DONE:
            while needed := self._needed(member):
                part.waits(f"waits for {', '.join(needed)}")
                yield "waiting"
            try:
                yield from self._run(part, member)
            except Exception as error:  # noqa: BLE001 (an error of one part must not end the others)
                pause_s = part.fails(self._clock(), self._why(member, error))
                self.stack.drop(name)
                yield from self._pass(pause_s)

    def _run(self, part: SupervisedPart, member: StackMember) -> Iterator[str]:
        """Run a part from its start to its end. Raises ServerFailed at its end, or the error of its start."""
        again = part.failures > 0
        part.starts(self._clock())
        yield from self.stack.bring_up(part.name)
        part.comes_up(self._clock(), PartPhase.DONE if member.runs_once else PartPhase.READY)
        if again and part.name in FEED_CONNECTORS:
            self._run_again(CONNECTORS)
        asked_at = self._clock()
        while part.phase is PartPhase.READY:
            if self._clock() - asked_at >= ASK_EVERY_S:
                with suppress(Exception):  # a part that can't be asked may still run
                    part.complains(member.complaint())
                asked_at = self._clock()
            if (code := self.stack.processes[part.name].poll()) is not None:
                raise ServerFailed(reasons.ended(code), explained=not reasons.is_from_outside(code))
            yield "ready"

    def _run_again(self, name: str) -> None:
        part = self.parts.get(name)
        if part is not None and part.phase is PartPhase.DONE:
            part.waits("")
            self._cycles[name] = self._cycle(name)

    def _pass(self, seconds: float) -> Iterator[str]:
        """Wait for ``seconds``, at least one step."""
        until = self._clock() + seconds
        yield "down"
        while self._clock() < until:
            yield "down"

    def _needed(self, member: StackMember) -> list[str]:
        """The parts that a member still waits for: those it needs, and those it counts on unless they are down."""
        needed = [name for name in member.needs if name in self.parts and not self.parts[name].works]
        counted_on = [name for name in member.counts_on if name in self.parts and not self.parts[name].works]
        before = [name for name in member.after if name in self.parts and name not in self.stack.processes]
        return needed + [name for name in counted_on + before if not self._is_down(name)]

    def _is_down(self, name: str) -> bool:
        """Whether others should not wait for a part: it is down, or needs a part that is down."""
        part = self.parts[name]
        if part.phase is not PartPhase.WAITING:
            return part.is_down(self._clock())
        return any(self._is_down(needed) for needed in self.stack.members[name].needs if needed in self.parts)

    def _why(self, member: StackMember, error: Exception) -> str:
        if not isinstance(error, ServerFailed):
            return str(error).partition("\n")[0] or type(error).__name__
        line = reasons.explanation(member.log) if error.explained else ""
        return f"{error.what}: {line}" if line else error.what

    def _reason(self, part: SupervisedPart) -> str:
        if part.reason or not part.is_late(self._clock()):
            return part.reason or "is starting"
        return self.stack.members[part.name].condition() or "is still starting"

    def _say_news(self) -> None:
        for part in self.parts.values():
            if news := part.news(self._clock()):
                self._tell(part, news)

    def _note(self) -> None:
        """Record the processes and the state of the parts if they have changed."""
        pids = self.stack.pids
        seen = (pids, [(part.phase, part.reason, part.failures) for part in self.parts.values()])
        if seen != self._noted:
            with suppress(OSError):
                self.stack.home.note(pids)
                state_file.write(self.stack.settings.home, os.getpid(), self.parts.values())
            self._noted = seen

    def _check_vital(self) -> None:
        for names, what in (
            (["postgres"], "PostgreSQL can't run"),
            (self.stack.brokers, "Kafka can't run"),
            (["migrations"], "the database can't be used"),
        ):
            parts = [self.parts[name] for name in names if name in self.parts]
            if parts and all(part.failed_starts >= FAILED_STARTS_MAX for part in parts):
                first = parts[0]
                raise StackError(
                    f"{what}: {first.name} failed {first.failed_starts} times in a row, and nothing works without it\n"
                    f"{first.name} {first.reason}\nits log is {self.stack.members[first.name].log}"
                )

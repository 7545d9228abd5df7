"""Keeps the parts of a stack alive, each for itself: what one of them does holds up only those that need it.

Each part has a life of its own, a generator that goes one step further whenever it is asked, so that all of them go
on side by side in one thread (see stack/child.py).
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
from stack.part import Part, Phase
from stack.server import Server

STEP_S: Final = 0.05
CALM_STEP_S: Final = 0.5
ASK_EVERY_S: Final = 15.0
# So often in a row PostgreSQL, all brokers or the migrations may fail without any work before all is given up.
FAILED_STARTS_MAX: Final = 5
# After their return new rows must be seen to flow again.
FEED_CONNECTORS: Final = frozenset({"kafka", "postgres", "connect"})

Clock = Callable[[], float]


class Supervision:
    """The parts named, from their first start on. ``tell`` gets a part and what is to be said of it."""

    def __init__(
        self, stack: Stack, names: list[str], tell: Callable[[Part, str], object], clock: Clock = time.monotonic
    ) -> None:
        self.stack = stack
        self.parts = {name: Part(name) for name in names}
        self._tell = tell
        self._clock = clock
        self._lives = {name: self._life(name) for name in names}
        self._noted: object = None

    def step(self) -> None:
        """Go one step further with every part. Raises StackError where nothing can work."""
        for name, life in list(self._lives.items()):
            if next(life, None) is None:
                del self._lives[name]
        self._say_news()
        self._note()
        self._check_vital()

    def pause(self) -> None:
        """Let a little time pass: less while something starts."""
        starting = any(part.phase is Phase.STARTING for part in self.parts.values())
        time.sleep(STEP_S if starting else CALM_STEP_S)

    def close(self) -> None:
        """End the lives; what has been started for the long run runs on."""
        for life in self._lives.values():
            life.close()
        state_file.remove(self.stack.settings.home)

    @property
    def is_settled(self) -> bool:
        """Whether every part works, or is not to be waited for."""
        return all(part.works or self._is_down(name) for name, part in self.parts.items())

    @property
    def is_whole(self) -> bool:
        """Whether every part works, with all that is in it."""
        return all(part.works and not part.reason for part in self.parts.values())

    def down(self) -> dict[str, str]:
        """The parts that don't work as a whole, each with the reason; those that take long are asked for it."""
        return {name: self._reason(part) for name, part in self.parts.items() if part.reason or not part.works}

    def _life(self, name: str) -> Generator[str]:
        part, member = self.parts[name], self.stack.members[name]
        while part.phase is not Phase.DONE:
            while needed := self._needed(member):
                part.waits(f"waits for {', '.join(needed)}")
                yield "waiting"
            try:
                yield from self._run(part, member)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is this part's alone)
                pause_s = part.fails(self._clock(), self._why(member, error))
                self.stack.drop(name)
                yield from self._pass(pause_s)

    def _run(self, part: Part, member: Server) -> Iterator[str]:
        """From the start of a part to its end. Raises ServerFailed when it has ended, or what kept it from starting."""
        again = part.failures > 0
        part.starts(self._clock())
        yield from self.stack.bring_up(part.name)
        part.comes_up(self._clock(), Phase.DONE if member.runs_once else Phase.READY)
        if again and part.name in FEED_CONNECTORS:
            self._run_again(CONNECTORS)
        asked_at = self._clock()
        while part.phase is Phase.READY:
            if self._clock() - asked_at >= ASK_EVERY_S:
                with suppress(Exception):  # a part that can't be asked is none that has ended
                    part.complains(member.complaint())
                asked_at = self._clock()
            if (code := self.stack.processes[part.name].poll()) is not None:
                raise ServerFailed(reasons.ended(code), explained=not reasons.is_from_outside(code))
            yield "ready"

    def _run_again(self, name: str) -> None:
        part = self.parts.get(name)
        if part is not None and part.phase is Phase.DONE:
            part.waits("")
            self._lives[name] = self._life(name)

    def _pass(self, seconds: float) -> Iterator[str]:
        """Let time pass, one step at least."""
        until = self._clock() + seconds
        yield "down"
        while self._clock() < until:
            yield "down"

    def _needed(self, member: Server) -> list[str]:
        """For whom a part still has to wait: for what it needs, and for what it counts on unless that is down."""
        needed = [name for name in member.needs if name in self.parts and not self.parts[name].works]
        counted_on = [name for name in member.counts_on if name in self.parts and not self.parts[name].works]
        before = [name for name in member.after if name in self.parts and name not in self.stack.processes]
        return needed + [name for name in counted_on + before if not self._is_down(name)]

    def _is_down(self, name: str) -> bool:
        """Whether nobody should wait for a part: for itself, or since it needs one of which that is true."""
        part = self.parts[name]
        if part.phase is not Phase.WAITING:
            return part.is_down(self._clock())
        return any(self._is_down(needed) for needed in self.stack.members[name].needs if needed in self.parts)

    def _why(self, member: Server, error: Exception) -> str:
        if not isinstance(error, ServerFailed):
            return str(error).partition("\n")[0] or type(error).__name__
        line = reasons.explanation(member.log) if error.explained else ""
        return f"{error.what}: {line}" if line else error.what

    def _reason(self, part: Part) -> str:
        if part.reason or not part.is_late(self._clock()):
            return part.reason or "is starting"
        return self.stack.members[part.name].condition() or "is still starting"

    def _say_news(self) -> None:
        for part in self.parts.values():
            if news := part.news(self._clock()):
                self._tell(part, news)

    def _note(self) -> None:
        """Write down what runs, and how the parts are, when that has changed."""
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

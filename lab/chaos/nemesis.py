"""Carries out a schedule: kills, freezes and restarts processes, cuts and slows links, and brings back what ends.

Processes are started from the main thread only (stack/child.py), so the lane of processes runs there, that of links
beside it.
"""

import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import psutil

from lab.chaos.history import Diary
from lab.chaos.proxy import Proxy
from lab.chaos.schedule import Deed, Fault
from stack.child import last_lines
from stack.embedded import Stack
from stack.errors import StackError

LOOK_S: Final = 0.25
LINES: Final = 60
TRIES: Final = 6
FEED_CONNECTORS: Final = frozenset({"kafka", "postgres", "connect"})


class NotBack(Exception):
    """A process did not come back, however often it was started."""


class Assault:
    """Faults on a running stack; everything that is done is noted in the diary."""

    def __init__(self, stack: Stack, proxy: Proxy, diary: Diary, tell: Any) -> None:
        self.stack, self.proxy, self.diary, self.tell = stack, proxy, diary, tell
        self.survived: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self._over = threading.Event()
        self._lane: threading.Thread | None = None

    def begin(self, faults: Iterable[Fault]) -> None:
        """Let the lane of links run on its own."""
        self._lane = threading.Thread(target=self._harm_links, args=(time.monotonic(), list(faults)), name="links")
        self._lane.start()

    def carry_out(self, faults: Iterable[Fault], until: float) -> None:
        """Do to processes what is due, and keep the others running, for ``until`` seconds. Raises NotBack."""
        began = time.monotonic()
        for fault in faults:
            self.keep(began + fault.at)
            self._harm(fault)
        self.keep(began + until)

    def keep(self, until: float) -> None:
        """Start what ended by itself, until that moment of the monotonic clock. Raises NotBack."""
        while True:
            for name in self.stack.dead():
                code = self.stack.processes[name].returncode
                self.ended[name] += 1
                lines = last_lines(self.stack.members[name].log, LINES)
                self.diary.note("ended", time.time(), victim=name, code=code, log=lines)
                self.tell(f"{name} ended with {code} by itself: starting it again")
                self._start(name)
            if time.monotonic() >= until:
                return
            time.sleep(LOOK_S)

    def heal(self) -> None:
        """End every fault, and let everything run and flow again. Raises NotBack."""
        self._over.set()
        if self._lane is not None:
            self._lane.join()
        for name in self.proxy.routes:
            self.proxy.restore(name)
        self.keep(0.0)
        self._start("connectors")

    def _harm(self, fault: Fault) -> None:
        self.tell(f"{fault.deed} {fault.victim}" + (f" for {fault.seconds:g} s" if fault.seconds else ""))
        began = time.time()
        if fault.deed is Deed.PAUSE:
            self._pause(fault.victim, fault.seconds)
        else:
            self._end(fault)
            self._start(fault.victim)
        self._survived(fault, began)

    def _end(self, fault: Fault) -> None:
        if fault.deed is Deed.RESTART:
            self.stack.stop(fault.victim)
            return
        for process in self._family(fault.victim):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.stack.processes[fault.victim].wait()
        if fault.deed is Deed.FORGET:
            shutil.rmtree(self.stack.settings.home / fault.victim, ignore_errors=True)

    def _pause(self, name: str, seconds: float) -> None:
        family = self._family(name)
        _signal(family, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            _signal(family, signal.SIGCONT)

    def _family(self, name: str) -> list[psutil.Process]:
        """A process with those that it has started."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.stack.processes[name].pid)
            return [process, *process.children(recursive=True)]
        return []

    def _start(self, name: str) -> None:
        """Start a process, several times if it must be, and the connectors again after what they live on."""
        names = (name, "connectors") if name in FEED_CONNECTORS else (name,)
        for each in names:
            for count in range(TRIES):
                try:
                    self.stack.start(each)
                    break
                except StackError as error:
                    first = str(error).splitlines()[0]
                    self.diary.note("late", time.time(), victim=each, why=str(error))
                    self.tell(f"{each} is not back yet: {first}")
                    if count == TRIES - 1:
                        raise NotBack(f"{each} did not come back: {first}") from error

    def _harm_links(self, began: float, faults: list[Fault]) -> None:
        for fault in faults:
            if self._over.wait(max(0.0, began + fault.at - time.monotonic())):
                return
            self._harm_link(fault)

    def _harm_link(self, fault: Fault) -> None:
        how = f"{fault.delay * 1000:.0f} ms more, " if fault.delay else ""
        self.tell(f"{fault.deed} {fault.victim}, {how}for {fault.seconds:g} s")
        began = time.time()
        if fault.deed is Deed.CUT:
            self.proxy.cut(fault.victim)
        elif fault.deed is Deed.STALL:
            self.proxy.stall(fault.victim)
        else:
            self.proxy.slow(fault.victim, fault.delay)
        self._over.wait(fault.seconds)
        self.proxy.restore(fault.victim)
        self._survived(fault, began)

    def _survived(self, fault: Fault, began: float) -> None:
        self.survived[f"{fault.deed} {fault.victim}"] += 1
        more = {"victim": fault.victim, "seconds": fault.seconds, "delay": fault.delay}
        self.diary.note("fault", began, deed=fault.deed.value, **more)


def _signal(family: list[psutil.Process], number: signal.Signals) -> None:
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)

"""The nemesis of a run: it kills, freezes and restarts processes, cuts and slows links, and starts again what ends.

Processes are started from the main thread only (stack/child.py), so their faults are carried out there; a thread of its
own carries out those of links.
"""

import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import Any, Final

import psutil
from kafka.admin import TransactionState
from kafka.errors import KafkaError

from lab.chaos.history import History
from lab.chaos.proxy import HOST, Proxy
from lab.chaos.schedule import Fault, FaultKind
from lab.trial_stack import TrialStack
from stack.broker_access import admin_client
from stack.child import last_lines
from stack.errors import StackError

CHECK_PAUSE_S: Final = 0.25
LOG_LINES: Final = 60
STARTS_MAX: Final = 6
TRANSACTIONS_TIMEOUT_S: Final = 10.0
UNDER_WAY: Final = (TransactionState.ONGOING, TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT)
FEED_CONNECTORS: Final = frozenset({"kafka", "postgres", "connect"})


class NotBack(Exception):
    """A process could not be started again in STARTS_MAX tries."""


class Nemesis:
    """Faults on a running stack; each is recorded in the history."""

    def __init__(self, stack: TrialStack, proxy: Proxy, history: History, tell: Any) -> None:
        self.stack, self.proxy, self.history, self.tell = stack, proxy, history, tell
        self._kafka = f"{HOST}:{stack.settings.kafka_port}"
        self.survived: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self._over = threading.Event()
        self._links: threading.Thread | None = None

    def begin(self, faults: Iterable[Fault]) -> None:
        """Start the thread that carries out the faults of links."""
        self._links = threading.Thread(target=self._harm_links, args=(time.monotonic(), list(faults)), name="links")
        self._links.start()

    def carry_out(self, faults: Iterable[Fault], until: float) -> None:
        """Carry out the faults of processes, and keep the others running, for ``until`` seconds. Raises NotBack."""
        began = time.monotonic()
        for fault in faults:
            self.keep(began + fault.at)
            self._harm(fault)
        self.keep(began + until)

    def keep(self, until: float) -> None:
        """Start again what ends by itself, until that moment of the monotonic clock. Raises NotBack."""
        while True:
            for name in self.stack.dead():
                code = self.stack.processes[name].returncode
                self.ended[name] += 1
                lines = last_lines(self.stack.members[name].log, LOG_LINES)
                self.history.note("ended", time.time(), target=name, code=code, log=lines)
                self.tell(f"{name} ended with {code} by itself: starting it again")
                self._start(name)
            if time.monotonic() >= until:
                return
            time.sleep(CHECK_PAUSE_S)

    def heal(self) -> None:
        """End every fault, and start what is down. Raises NotBack."""
        self._over.set()
        if self._links is not None:
            self._links.join()
        for name in self.proxy.routes:
            self.proxy.restore(name)
        self.keep(0.0)
        self._start("connectors")

    def _harm(self, fault: Fault) -> None:
        self.tell(f"{fault.kind} {fault.target}" + (f" for {fault.seconds:g} s" if fault.seconds else ""))
        began = time.time()
        if fault.kind is FaultKind.PAUSE:
            self._pause(fault.target, fault.seconds)
        else:
            self._end(fault)
            self._start(fault.target)
        self._survived(fault, began)

    def _end(self, fault: Fault) -> None:
        if fault.target == "kafka":
            with suppress(KafkaError), closing(admin_client(self.stack.settings, self._kafka)) as admin:
                let_transactions_end(admin)
        if fault.kind is FaultKind.RESTART:
            self.stack.stop(fault.target)
            return
        for process in self._family(fault.target):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.stack.processes[fault.target].wait()
        if fault.kind is FaultKind.FORGET:
            shutil.rmtree(self.stack.settings.home / fault.target, ignore_errors=True)

    def _pause(self, name: str, seconds: float) -> None:
        family = self._family(name)
        _signal(family, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            _signal(family, signal.SIGCONT)

    def _family(self, name: str) -> list[psutil.Process]:
        """A process with its children."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.stack.processes[name].pid)
            return [process, *process.children(recursive=True)]
        return []

    def _start(self, name: str) -> None:
        """Start a process, in several tries if need be, and after those that feed them the connectors again."""
        names = (name, "connectors") if name in FEED_CONNECTORS else (name,)
        for each in names:
            for count in range(STARTS_MAX):
                try:
                    self.stack.start(each)
                    break
                except StackError as error:
                    first = str(error).splitlines()[0]
                    self.history.note("late", time.time(), target=each, why=str(error))
                    self.tell(f"{each} is not back yet: {first}")
                    if count == STARTS_MAX - 1:
                        raise NotBack(f"{each} did not come back: {first}") from error

    def _harm_links(self, began: float, faults: list[Fault]) -> None:
        for fault in faults:
            if self._over.wait(max(0.0, began + fault.at - time.monotonic())):
                return
            self._harm_link(fault)

    def _harm_link(self, fault: Fault) -> None:
        how = f"{fault.delay * 1000:.0f} ms more, " if fault.delay else ""
        self.tell(f"{fault.kind} {fault.target}, {how}for {fault.seconds:g} s")
        began = time.time()
        if fault.kind is FaultKind.CUT:
            self.proxy.cut(fault.target)
        elif fault.kind is FaultKind.STALL:
            self.proxy.stall(fault.target)
        else:
            self.proxy.slow(fault.target, fault.delay)
        self._over.wait(fault.seconds)
        self.proxy.restore(fault.target)
        self._survived(fault, began)

    def _survived(self, fault: Fault, began: float) -> None:
        self.survived[f"{fault.kind} {fault.target}"] += 1
        more = {"target": fault.target, "seconds": fault.seconds, "delay": fault.delay}
        self.history.note("fault", began, kind=fault.kind.value, **more)


def _signal(family: list[psutil.Process], number: signal.Signals) -> None:
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def let_transactions_end(admin: Any, timeout_s: float = TRANSACTIONS_TIMEOUT_S, pause_s: float = CHECK_PAUSE_S) -> None:
    """Wait until no producer's transaction is under way, ``timeout_s`` at most.

    After its start, a single broker may know no leader of a partition for a moment. A transaction that it ends then
    stays open there for good, since its coordinator skips the partition (docs/operations.md, TransactionOpen).
    """
    gives_up_at = time.monotonic() + timeout_s
    while any(admin.list_transactions(state_filters=UNDER_WAY).values()) and time.monotonic() < gives_up_at:
        time.sleep(pause_s)

"""The whole stack: how long its start takes, its memory, how soon each server is back after a kill.

Jars and virtual environment are there already; the times are those of ``make run`` after that.
"""

import asyncio
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from threading import Event
from typing import Final

import httpx

from lab.bench.cpu import resident_mb
from lab.bench.latency import probe
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import definition, shows
from lab.bench.topics import fill
from lab.trial_stack import TrialStack
from settings import Settings
from stack.member import HOST

SEED: Final = 8
PROBES_PER_S: Final = 20
EVENTS: Final = 8
BEFORE_S: Final = 4.0
AFTER_S: Final = 3.0
STALL_TIMEOUT_S: Final = 60.0
REQUEST_EVERY_S: Final = 0.1
REQUEST_TIMEOUT_S: Final = 1.0
SEARCH: Final = "/api/v3/events/search?q=jazz"
LIST: Final = "/api/v3/events?limit=1"
ALIVE: Final = "/health/live"


def start(lab: Lab) -> Figures:
    """Start everything on an empty folder, stop it, start it again."""
    with lab.stack() as stack:
        with lab.step("starting everything on an empty folder"):
            fresh = _seconds(lambda: _everything(stack))
        resident = sum(resident_mb(stack.pids).values())
        with lab.step("stopping, and starting again"):
            stack.stop()
            warm = _seconds(lambda: _everything(stack))
    return {"run.fresh_s": fresh, "run.warm_s": warm, "run.rss_mb": resident}


def outages(lab: Lab) -> Figures:
    """Kill one process after the other, start it again at once, and send it requests meanwhile."""
    with lab.stack() as stack:
        with lab.step("starting everything"):
            _everything(stack)
        figures = {}
        for name, path in (("api", ALIVE), ("postgres", LIST), ("elasticsearch", SEARCH)):
            with lab.step(f"{name} is killed"):
                url = f"http://{HOST}:{stack.settings.api_port}{path}"
                asked = _killing(stack, name, partial(_asking, url))
            lab.series[f"outage.{name}"] = [asdict(one) for one in asked]
            figures[f"recovery.{name}_s"] = back(asked)
        for name, key in (("kafka", "recovery.broker_s"), ("ledger-0", "recovery.busy_worker_s")):
            with lab.step(f"{name} is killed"):
                asked = _killing(stack, name, partial(_buying, lab.settings(stack)))
            lab.series[f"outage.{name}"] = [asdict(one) for one in asked]
            figures[key] = back(asked)
        with lab.step("connect is killed"):
            stack.kill("connect")
            figures["recovery.connect_s"] = _seconds(lambda: stack.start("connect", "connectors"))
    return figures


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """A request: seconds after the kill (negative: before it), whether it succeeded, how long it took."""

    at: float
    well: bool
    seconds: float


def back(asked: list[HealthProbe]) -> float:
    """Seconds from the kill until the last answer that failed or was held up; 0 where nobody noticed.

    Raises ValueError where nothing was answered well in the end.
    """
    if not asked or not asked[-1].well:
        raise ValueError("it did not come back")
    usual = sorted(one.seconds for one in asked if one.at < 0)
    slow = 10 * usual[len(usual) // 2] if usual else 0.0
    late = [
        one.at + one.seconds
        for one in asked
        if one.at >= 0 and (not one.well or one.seconds > max(slow, REQUEST_EVERY_S))
    ]
    return max(late, default=0.0)


def _everything(stack: TrialStack) -> None:
    stack.start(*stack.servers, *stack.steps, *stack.apps)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _killing(stack: TrialStack, name: str, ask: Callable[[Callable[[], bool]], list[HealthProbe]]) -> list[HealthProbe]:
    """What ``ask`` found in a thread of its own, by the clock, while the process was killed and started again here."""
    over = Event()
    with ThreadPoolExecutor(1) as thread:
        answers = thread.submit(ask, lambda: not over.is_set())
        try:
            time.sleep(BEFORE_S)
            killed = time.monotonic()
            stack.kill(name)
            stack.start(name)
            time.sleep(AFTER_S)
        finally:
            over.set()
        return [HealthProbe(one.at - killed, one.well, one.seconds) for one in answers.result()]


def _asking(url: str, more: Callable[[], bool]) -> list[HealthProbe]:
    """A GET every tenth of a second, and on until one succeeds. Raises TimeoutError where none does."""
    answers: list[HealthProbe] = []
    deadline = time.monotonic() + STALL_TIMEOUT_S
    with httpx.Client(timeout=REQUEST_TIMEOUT_S, trust_env=False) as http:
        while more() or not answers[-1].well:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} did not answer again within {STALL_TIMEOUT_S:.0f} s")
            began = time.monotonic()
            well = _well(http, url)
            answers.append(HealthProbe(began, well, time.monotonic() - began))
            time.sleep(max(0.0, REQUEST_EVERY_S - answers[-1].seconds))
    return answers


def _buying(settings: Settings, more: Callable[[], bool]) -> list[HealthProbe]:
    """Purchases straight to the topic; each is decided in the end, or TimeoutError is raised."""
    on_sale = shows(EVENTS, 1, settings.partitions, random.Random(SEED))
    placed = [(show.partition, show.key, definition(show)) for show in on_sale]
    asyncio.run(fill(settings.kafka_servers, placed, _ignored))
    return [HealthProbe(one.at, True, one.seconds) for one in asyncio.run(probe(settings, on_sale, PROBES_PER_S, more))]


def _ignored(done: int) -> None:
    return


def _well(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url).is_success
    except httpx.TransportError:
        return False


MEASUREMENTS: Final = (
    Measurement("run", "the whole stack: fresh start, warm start, memory", start),
    Measurement("outages", "each process killed in turn: how soon it is back", outages),
)

"""Purchases that are paid online, from the first request to the captured money, against Paper.

Kafka, PostgreSQL, the API, a ledger worker, a worker of the role ``payments`` and one of the role ``sales`` run, and
Paper, which isn't counted: a real provider's servers are not ours.
"""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

import msgspec
import psycopg

from lab.bench.cpu import cpu_seconds, spent
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import Show, random_id
from lab.bench.payments_load import PayingPlan, PayingReport
from lab.bench.rest_site import Site, site

EVENTS: Final = 64
STOCK: Final = 10_000_000
# As many as over REST (lab/bench/rest.py), or what is done within so long.
PURCHASES: Final = 20_000
WARM_UP_COUNT: Final = 20_000
LOAD_S: Final = 75.0
BUYERS_AT_ONCE: Final = 512
WORKERS: Final = ("payments-0", "sales-0")
PAPER: Final = "paper"
# What the servers cost until everything has arrived, by role.
ROLES: Final = ("api", "worker", "payments", "sales", "broker", "postgres")
POLL_S: Final = 0.5
STALL_TIMEOUT_S: Final = 120.0
_CAPTURED: Final = "SELECT count(*) FROM payment WHERE state = 'captured'"


def purchases(lab: Lab) -> Figures:
    """Held, started, authorized, confirmed and captured."""
    with _running(lab) as running:
        shows = running.put_on_sale(EVENTS, STOCK, payment="online")
        with lab.step("warming up"):
            done = _pay(lab, running, shows, WARM_UP_COUNT, 0)
        before, began = cpu_seconds(running.stack.pids), time.monotonic()
        with lab.step("purchases that are paid online"), lab.profiling(running.stack):
            count = _pay(lab, running, shows, PURCHASES, done)
        cpu, wall = spent(before, cpu_seconds(running.stack.pids)), time.monotonic() - began
    total = sum(seconds for role, seconds in cpu.items() if role != PAPER)
    return {
        "payments.purchases_per_server_cpu_s": count / total,
        "payments.purchases_per_s": count / wall,
        **{f"payments.{role}_us": 1e6 * cpu[role] / count for role in ROLES},
    }


@contextmanager
def _running(lab: Lab) -> Iterator[Site]:
    with site(lab, measured="payments") as running:
        with lab.step("starting Paper and the workers"):
            running.stack.start(PAPER, *WORKERS)
        yield running


def _pay(lab: Lab, running: Site, shows: list[Show], most: int, before: int) -> int:
    """Let buyers pay, until all their money is captured and in the table; how many have paid.

    At most ``most`` times the scale; ``before`` have paid until now.
    """
    running.seed += 1
    rng = random.Random(running.seed)
    accounts = [random_id(rng) for _ in range(lab.count(most))]
    plan = PayingPlan(
        api=f"http://127.0.0.1:{running.stack.settings.api_port}",
        buyers_at_once=BUYERS_AT_ONCE,
        seconds=LOAD_S * lab.scale,
        shows=[(show.event, show.types[0]) for show in shows],
        accounts=accounts,
        tokens=list(running.tokens(accounts)),
    )
    command = (sys.executable, "-m", "lab.bench", "pay")
    done = subprocess.run(command, input=msgspec.json.encode(plan), stdout=subprocess.PIPE, check=True)
    paid = msgspec.json.decode(done.stdout, type=PayingReport).paid
    _wait_captured(running, before + paid)
    return paid


def _wait_captured(running: Site, count: int) -> None:
    """Wait until so many are captured by Paper's own file, then until the table has them, too."""
    file = running.stack.settings.home / "paper" / "payments.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as books:
        _wait(count, lambda: books.execute("SELECT count(*) FROM payment WHERE captured > 0").fetchone()[0])
    with psycopg.connect(running.settings.database_url.get_secret_value(), autocommit=True) as connection:
        _wait(count, lambda: next(row[0] for row in connection.execute(_CAPTURED)))


def _wait(count: int, look: Callable[[], int]) -> None:
    deadline = time.monotonic() + STALL_TIMEOUT_S
    while (found := look()) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{found:,} of {count:,} payments are captured after {STALL_TIMEOUT_S:.0f} s")
        time.sleep(POLL_S)


MEASUREMENTS: Final = (Measurement("payments.purchases", "purchases that are paid online, 64 events", purchases),)

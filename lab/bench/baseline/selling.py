"""The baseline measured: the same load as ours gets, the HTTP server configured as ours is, the embedded PostgreSQL.

Shop and database together are what a purchase costs here; API, worker and broker are what it costs with us.
"""

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final
from uuid import UUID

import jwt
import msgspec
import psycopg

from lab.bench.baseline.shop import TOKENS
from lab.bench.cpu import Seconds, cpu_seconds, spent
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import STOCK, Show, random_id, shows
from lab.bench.rest_load import Plan, Report
from lab.trial_stack import TrialStack
from stack.apps import AppProcess
from stack.child import Command
from stack.member import HOST
from stack.ports import listens

SCHEMA: Final = Path(__file__).with_name("schema.sql")
SHELF: Final = "INSERT INTO ticket_type VALUES (%s, %s, 'Category', 49.90, 'EUR', %s)"
PARTITIONS: Final = 4
SEED: Final = 8
EVENTS: Final = 64
REQUESTS: Final = 20_000
WARM_UP_COUNT: Final = 20_000
CONNECTIONS: Final = 128
ACCOUNTS: Final = 5_000
CREATED: Final = 201


class ShopProcess(AppProcess):
    """The baseline's HTTP server, in the place of the API's."""

    name = "api"

    def command(self) -> Command:
        """The same server with the same configuration, another application."""
        return self.process(("-m", "lab.bench", "baseline"), signal.SIGTERM)

    def ready(self) -> bool:
        """Whether it listens."""
        return listens(self.settings.api_port)


def many(lab: Lab) -> Figures:
    """Purchases spread over 64 ticket types."""
    return {"rest.baseline_many_per_server_cpu_s": _sell(lab, shows(EVENTS, 1, PARTITIONS, random.Random(SEED)))}


def hot(lab: Lab) -> Figures:
    """Purchases of one ticket type."""
    return {"rest.baseline_hot_per_server_cpu_s": _sell(lab, shows(1, 1, PARTITIONS, random.Random(SEED)))}


def _sell(lab: Lab, on_sale: list[Show]) -> float:
    """Purchases for each CPU second of shop and database; all of them succeed."""
    with lab.stack() as stack:
        stack.members["api"] = ShopProcess(stack.settings)
        with lab.step("starting database and shop"):
            stack.start("postgres")
            _stock(stack, on_sale)
            stack.start("api")
        with lab.step("warming up"):
            load(stack, on_sale, lab.count(WARM_UP_COUNT), seed=1)
        count = lab.count(REQUESTS)
        with lab.step(f"{count:,} purchases"):
            before = cpu_seconds(stack.pids)
            load(stack, on_sale, count, seed=2)
            used: Seconds = spent(before, cpu_seconds(stack.pids))
    return count / sum(used.values())


def _stock(stack: TrialStack, on_sale: list[Show]) -> None:
    with psycopg.connect(stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
        connection.execute(SCHEMA.read_bytes())
        rows = [(kind, show.event, STOCK) for show in on_sale for kind in show.types]
        connection.cursor().executemany(SHELF, rows)


def load(stack: TrialStack, on_sale: list[Show], count: int, *, seed: int) -> Report:
    """Send so many purchases from a process of its own. Raises RuntimeError unless each is answered with 201."""
    accounts = _accounts(seed)
    plan = Plan(
        host=HOST,
        port=stack.settings.api_port,
        requests=count,
        connections=CONNECTIONS,
        seed=seed,
        shows=[(show.event, list(show.types)) for show in on_sale],
        accounts=accounts,
        tokens=[_token(stack, account) for account in accounts],
    )
    argv = (sys.executable, "-m", "lab.bench", "load")
    done = subprocess.run(argv, input=msgspec.json.encode(plan), stdout=subprocess.PIPE, check=True)
    report = msgspec.json.decode(done.stdout, type=Report)
    statuses = report.statuses()
    if set(statuses) != {CREATED}:
        raise RuntimeError(f"not every purchase succeeded: {dict(statuses)}")
    return report


def _accounts(seed: int) -> list[UUID]:
    rng = random.Random(seed)
    return [random_id(rng) for _ in range(ACCOUNTS)]


def _token(stack: TrialStack, account: UUID) -> str:
    return jwt.encode({"sub": str(account)}, stack.environment["TURNSTILE_TICKET_KEY"], TOKENS)


MEASUREMENTS: Final = (
    Measurement("baseline.many", "plain PostgreSQL behind the same server, 64 ticket types", many),
    Measurement("baseline.hot", "the same, one ticket type", hot),
)

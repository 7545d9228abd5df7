"""The parts that purchases over REST need, and no others: Kafka, PostgreSQL, a ledger worker, the API."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import httpx
import msgspec
import psycopg

from api.auth.tokens import Tokens
from api.roles import Role
from connect.provisioning import open_admin, provision
from connect.topics import all_topics
from lab.bench.cpu import SERVER_ROLES, cpu_seconds, spent
from lab.bench.measurement import LEDGER_ROLE, Lab
from lab.bench.orders import Show, definition, random_id, shows
from lab.bench.rest_load import Plan, Report, SeatOrder
from lab.trial_stack import TrialStack
from settings import Settings
from stack.member import HOST

LEDGER: Final = "ledger-0"
TOKEN_S: Final = 3600
SETTLING_S: Final = 2.0
_ACCOUNTS: Final = "COPY account (id, first_name, last_name, email) FROM STDIN"
_EVENT: Final = """
INSERT INTO event (id, organizer_id, title, status, starts_at, ends_at, time_zone, payment)
VALUES (%s, %s, %s, 'ACTIVE', %s, %s, %s, %s)
"""
_TYPE: Final = """
INSERT INTO ticket_type (id, event_id, name, price, currency, quantity) VALUES (%s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The report of a load, and what API, worker and broker used meanwhile (CPU seconds by role)."""

    report: Report
    cpu: Mapping[str, float]

    @property
    def per_server_cpu_s(self) -> float:
        """Answers for each CPU second of API, worker and broker together."""
        return len(self.report.answers) / sum(self.cpu[role] for role in SERVER_ROLES)

    def microseconds(self, role: str) -> float:
        """CPU microseconds of a role for each answer."""
        return 1e6 * self.cpu[role] / len(self.report.answers)


@dataclass
class Site:
    """The running processes."""

    stack: TrialStack
    settings: Settings
    seed: int = 0

    def put_on_sale(self, events: int, stock: int, payment: str = "none") -> list[Show]:
        """So many events with one ticket type each, in the database; the API tells the ledger of them."""
        self.seed += 1
        on_sale = shows(events, 1, self.settings.partitions, random.Random(self.seed))
        with psycopg.connect(self.settings.database_url.get_secret_value()) as connection:
            organizer = uuid4()
            with connection.cursor().copy(_ACCOUNTS) as copy:
                copy.write_row((organizer, "Load", "Organizer", f"{organizer}@load.example"))
            for show in on_sale:
                facts = definition(show, stock).definition
                times = (facts.starts_at, facts.ends_at, facts.time_zone)
                connection.execute(_EVENT, (show.event, organizer, facts.title, *times, payment))
                for kind in facts.ticket_types:
                    stored = (kind.id, show.event, kind.name, kind.price, kind.currency, kind.quantity)
                    connection.execute(_TYPE, stored)
        return on_sale

    def load(
        self,
        on_sale: list[Show],
        requests: int,
        connections: int,
        rate: float = 0.0,
        orders: Sequence[SeatOrder] = (),
    ) -> Loaded:
        """Send purchases of one ticket each, every one by another account that has just signed in.

        ``orders`` are those of seats, one a request.
        """
        self.seed += 1
        rng = random.Random(self.seed)
        accounts = [random_id(rng) for _ in range(requests)]
        plan = Plan(
            host=HOST,
            port=self.stack.settings.api_port,
            requests=requests,
            connections=connections,
            rate=rate,
            seed=self.seed,
            shows=[(show.event, list(show.types)) for show in on_sale],
            accounts=accounts,
            tokens=list(self.tokens(accounts)),
            orders=list(orders),
        )
        before = cpu_seconds(self.stack.pids)
        command = (sys.executable, "-m", "lab.bench", "load")
        done = subprocess.run(command, input=msgspec.json.encode(plan), stdout=subprocess.PIPE, check=True)
        cpu = spent(before, cpu_seconds(self.stack.pids))
        return Loaded(msgspec.json.decode(done.stdout, type=Report), cpu)

    def sold(self, show: Show) -> int:
        """How many tickets of a show the ledger has sold."""
        view = httpx.get(f"{self.settings.worker_urls[0]}/api/event/{show.event}/", timeout=10, trust_env=False).json()
        return sum(kind["sold"] for kind in view["ticketTypes"])

    def tokens(self, accounts: list[UUID]) -> Iterator[str]:
        """The token of each account."""
        tokens = Tokens(self.settings.signing_keys(), TOKEN_S)
        return (tokens.issue(account, frozenset({Role.BUYER}))[0] for account in accounts)


@contextmanager
def site(lab: Lab, measured: str = LEDGER_ROLE) -> Iterator[Site]:
    """Everything started, on free ports and a folder of its own. ``measured`` as in Lab.stack."""
    with lab.stack(measured=measured) as stack:
        with lab.step("starting Kafka, PostgreSQL, a ledger worker and the API"):
            stack.start("kafka", "postgres")
            stack.start("migrations")
            settings = lab.settings(stack)
            admin = open_admin(settings)
            provision(admin, all_topics(), settings)
            admin.close()
            stack.start(LEDGER, "api")
            time.sleep(SETTLING_S)
        yield Site(stack, settings)

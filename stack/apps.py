"""The processes of the project in the stack: workers, API, exporter, and the steps of the setup."""

import signal
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import ClassVar, Final

import httpx

from connect.access.principals import ADMIN, OPERATOR
from stack.child import Command
from stack.environment import app_environment, worker_environment
from stack.kafka import brokers
from stack.member import HOST, StackMember, answers, get
from stack.ports import listens, taken
from stack.reasons import explanation
from stack.secret_files import NAMES, secret
from stack.settings import StackSettings

ROOT = Path(__file__).parents[1]
CONNECTORS: Final = "connectors"


class AppProcess(StackMember):
    """A process of the project itself."""

    principal: ClassVar[str] = OPERATOR  # its user of Kafka, where clients sign in

    def process(self, arguments: tuple[str, ...], death_signal: signal.Signals, **more: str) -> Command:
        """A Python process with the environment of the deployed parts."""
        environment: Mapping[str, str] = {**app_environment(self.settings, self.principal), **more}
        return Command((sys.executable, *arguments), self.log, env=environment, cwd=ROOT, death_signal=death_signal)


class SetupStep(AppProcess):
    """A step of the setup: a program of the project that ends by itself, and may be repeated."""

    runs_once = True
    ready_timeout_s = 180.0

    def __init__(
        self, settings: StackSettings, name: str, program: str, needs: tuple[str, ...], counts_on: tuple[str, ...] = ()
    ) -> None:
        self.name = name  # type: ignore[misc]
        self.needs = needs  # type: ignore[misc]
        self.counts_on = counts_on  # type: ignore[misc]
        self.program = program
        self.principal = ADMIN if name == CONNECTORS else OPERATOR  # type: ignore[misc]
        super().__init__(settings)

    def command(self) -> Command:
        return self.process(("-m", *self.program.split()), signal.SIGTERM)

    def ready(self) -> bool:
        """Never: it is done when it has ended."""
        return False

    def condition(self) -> str:
        """Its last log line."""
        line = explanation(self.log)
        return f"is still at work: {line}" if line else "is still at work"


# What a worker of each role needs besides Kafka, whose topics it waits for by itself.
ROLE_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "ledger": (),
    "indexer": ("elasticsearch",),
    "notifications": ("smtp",),
    "sales": ("migrations",),
    "gate": ("migrations",),
    "payments": ("migrations",),
}


class FaustWorker(AppProcess):
    """A worker. A kill does it no harm, so it is killed with its parent."""

    ready_timeout_s = 600.0  # with an empty folder it reads the whole changelog

    def __init__(self, settings: StackSettings, role: str, number: int = 0) -> None:
        self.role = role
        self.principal = role  # type: ignore[misc]
        self.number = number
        self.name = f"{role}-{number}"  # type: ignore[misc]
        self.needs = ROLE_NEEDS[role]  # type: ignore[misc]
        self.counts_on = tuple(broker.name for broker in brokers(settings))  # type: ignore[misc]
        super().__init__(settings)

    def command(self) -> Command:
        environment = worker_environment(self.settings, self.role, self.number)
        return self.process(("-m", "streams"), signal.SIGKILL, **environment)

    def ready(self) -> bool:
        """Whether its tables are recovered and its web views answer."""
        return answers(self._page)

    def condition(self) -> str:
        """Its status: what it waits for, or that it recovers."""
        try:
            return str(get(self._page).json()["status"])
        except (httpx.TransportError, ValueError, KeyError):
            return ""

    @property
    def _page(self) -> str:
        return f"http://{HOST}:{self.settings.view_port(self.role, self.number)}/health/ready"


class ApiProcess(AppProcess):
    """The REST API."""

    name = "api"
    principal = "api"
    needs = ("migrations",)
    stop_timeout_s = 5.0

    def command(self) -> Command:
        return self.process(("-m", "api"), signal.SIGKILL)

    def ready(self) -> bool:
        return answers(f"http://{HOST}:{self.settings.api_port}/health/live")


class ExporterProcess(AppProcess):
    """The exporter: metrics of Kafka, PostgreSQL and Kafka Connect."""

    name = "exporter"
    principal = "exporter"
    needs = ("migrations",)

    def command(self) -> Command:
        return self.process(("-m", "ops.exporter"), signal.SIGKILL)

    def ready(self) -> bool:
        """Whether its page answers."""
        return answers(f"http://{HOST}:{self.settings.exporter_port}/metrics")


def steps(settings: StackSettings) -> list[SetupStep]:
    """The setup when the servers are ready: database, administrator, topics, connectors, demonstration catalogue."""
    kafka = tuple(broker.name for broker in brokers(settings))
    consumers = tuple(worker.name for worker in workers(settings))
    return [
        SetupStep(settings, "migrations", "migrations", ("postgres",)),
        SetupStep(settings, "administrator", "ops administrator", ("migrations",)),
        SetupStep(settings, CONNECTORS, "connect", ("connect", "migrations"), kafka),
        SetupStep(settings, "catalogue", "lab.demo catalogue", ("api", "administrator"), (CONNECTORS, *consumers)),
    ]


def one_more(settings: StackSettings, role: str) -> FaustWorker:
    """One more worker besides those that run: the first whose port is free."""
    members = (FaustWorker(settings, role, number) for number in count(settings.workers if role == "ledger" else 1))
    return next(it for it in members if not taken(settings.view_port(role, it.number)))


def apps(settings: StackSettings) -> list[AppProcess]:
    """The processes of the deployed parts."""
    return [*workers(settings), ApiProcess(settings), ExporterProcess(settings)]


def workers(settings: StackSettings) -> list[FaustWorker]:
    """The worker processes: ``workers`` ledger workers, one worker of each other role."""
    others = [FaustWorker(settings, role) for role in ROLE_NEEDS if role != "ledger"]
    return [*(FaustWorker(settings, "ledger", number) for number in range(settings.workers)), *others]


class MailServer(StackMember):
    """Keeps every mail in ``mail/`` of the data folder."""

    name = "smtp"

    def command(self) -> Command:
        ports = (str(self.settings.smtp_port), str(self.settings.mail_port))
        argv = (sys.executable, "-m", "stack.mailbox", str(self.settings.home / "mail"), *ports)
        return Command(argv, self.log, cwd=ROOT, death_signal=signal.SIGTERM)

    def ready(self) -> bool:
        """Whether it receives mails and shows them."""
        return listens(self.settings.smtp_port) and listens(self.settings.mail_port)


class PaperServer(StackMember):
    """Keeps its books in ``paper/`` of the data folder. Its notices go to the API."""

    name = "paper"

    def __init__(self, settings: StackSettings, api_port: int | None = None) -> None:
        super().__init__(settings)
        self._api_port = api_port or settings.api_port

    def command(self) -> Command:
        settings = self.settings
        secret(settings.home, "paper_key")
        webhooks = f"http://{HOST}:{self._api_port}/api/v3/payment-webhooks/paper"
        arguments = (str(self.folder), HOST, str(settings.paper_port), self._url, webhooks)
        key_file = str(settings.home / NAMES["paper_key"])
        argv = (sys.executable, "-m", "stack.paper", *arguments, key_file, settings.paper)
        return Command(argv, self.log, cwd=ROOT, death_signal=signal.SIGTERM)

    def ready(self) -> bool:
        """Whether its books are shown."""
        return answers(f"{self._url}/")

    @property
    def _url(self) -> str:
        return f"http://{HOST}:{self.settings.paper_port}"

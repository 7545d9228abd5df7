"""The links of a stack: every connection between two parts goes over a route of the proxy.

Kafka advertises its address, so each of its clients gets a listener of its own, which advertises the client's route.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from lab.chaos.proxy import HOST, Proxy
from lab.free_ports import free
from lab.trial_stack import TrialStack
from stack.apps import PaperServer
from stack.child import Command
from stack.kafka import Kafka
from stack.kafka_connect import KafkaConnect
from stack.member import StackMember
from stack.settings import StackSettings


class Link(NamedTuple):
    """A part that connects, and the server that it connects to."""

    part: str
    server: str

    def __str__(self) -> str:
        return f"{self.part} - {self.server}"


CLIENT: Final = "client"
LEDGERS: Final = ("ledger-0", "ledger-1")
KAFKAS: Final = tuple(
    Link(part, "kafka")
    for part in (*LEDGERS, "indexer-0", "notifications-0", "sales-0", "payments-0", "api", "connect", CLIENT)
)
LINKS: Final = (
    *KAFKAS,
    Link("api", "postgres"),
    Link("api", "elasticsearch"),
    Link("api", "ledger-0"),
    Link("sales-0", "postgres"),
    Link("connect", "postgres"),
    Link("indexer-0", "elasticsearch"),
    Link("notifications-0", "smtp"),
    Link("payments-0", "postgres"),
    Link("payments-0", "paper"),
    Link("paper", "api"),
    Link(CLIENT, "api"),
)


class LinkedKafka(Kafka):
    """The broker with a listener for each of its clients: name, port, advertised port."""

    def __init__(self, settings: StackSettings, listeners: Sequence[tuple[str, int, int]]) -> None:
        super().__init__(settings)
        self._more = listeners

    def _configuration(self) -> dict[str, object]:
        values = super()._configuration()
        protocols = [f"{name}:PLAINTEXT" for name, _, _ in self._more]
        opened = [f"{name}://{HOST}:{port}" for name, port, _ in self._more]
        advertised = [f"{name}://{HOST}:{port}" for name, _, port in self._more]
        return values | {
            "listeners": ",".join([str(values["listeners"]), *opened]),
            "advertised.listeners": ",".join([str(values["advertised.listeners"]), *advertised]),
            "listener.security.protocol.map": ",".join([str(values["listener.security.protocol.map"]), *protocols]),
        }


class LinkedConnect(KafkaConnect):
    """Kafka Connect that connects to another port of the broker."""

    def __init__(self, settings: StackSettings, kafka_port: int) -> None:
        super().__init__(settings)
        self._kafka_port = kafka_port

    def _configuration(self) -> dict[str, object]:
        return super()._configuration() | {"bootstrap.servers": f"{HOST}:{self._kafka_port}"}


def linked(stack: TrialStack, proxy: Proxy) -> dict[Link, int]:
    """Put a route into every link of a stack that has not been started; the port of each link's route."""
    settings = stack.settings
    ports = {
        "postgres": settings.postgres_port,
        "elasticsearch": settings.elasticsearch_port,
        "smtp": settings.smtp_port,
        "paper": settings.paper_port,
        "ledger-0": settings.view_port("ledger", 0),
        "api": settings.api_port,
    }
    opened = {link: proxy.open(str(link), ports[link.server]) for link in LINKS if link.server != "kafka"}
    listeners = free(len(KAFKAS))
    for link, port in zip(KAFKAS, listeners, strict=True):
        opened[link] = proxy.open(str(link), port)
    names = [link.part.upper().replace("-", "") for link in KAFKAS]
    advertised = [opened[link] for link in KAFKAS]
    stack.members["kafka"] = LinkedKafka(settings, list(zip(names, listeners, advertised, strict=True)))
    stack.members["connect"] = LinkedConnect(settings, opened[Link("connect", "kafka")])
    stack.members["paper"] = PaperServer(settings, opened[Link("paper", "api")])
    for part in {link.part for link in LINKS} - {CLIENT, "connect", "paper"}:
        routes = {link.server: port for link, port in opened.items() if link.part == part}
        start_with(stack.members[part], _addresses(stack.environment, routes))
    postgres = str(opened[Link("connect", "postgres")])
    start_with(stack.members["connectors"], {"TURNSTILE_CONNECT_DATABASE_PORT": postgres})
    return opened


def start_with(member: StackMember, environment: Mapping[str, str], runner: tuple[str, ...] = ()) -> None:
    """Give a process of the project more variables, and a ``runner``: a module and arguments that run its module."""
    plain = member.command

    def command() -> Command:
        was = plain()
        argv = (was.argv[0], "-m", *runner, *was.argv[2:]) if runner else was.argv
        return replace(was, argv=argv, env={**was.env, **environment})

    member.command = command  # type: ignore[method-assign]


def _addresses(usual: Mapping[str, str], ports: Mapping[str, int]) -> dict[str, str]:
    """The settings that name the servers, each with the port of its route."""
    found = {}
    if "kafka" in ports:
        found["TURNSTILE_KAFKA_SERVERS"] = f"{HOST}:{ports['kafka']}"
    if "smtp" in ports:
        found["TURNSTILE_SMTP_PORT"] = str(ports["smtp"])
    for server, name in (
        ("postgres", "TURNSTILE_DATABASE_URL"),
        ("elasticsearch", "TURNSTILE_ELASTICSEARCH_URL"),
        ("ledger-0", "TURNSTILE_WORKER_URL"),
        ("paper", "TURNSTILE_PAPER_URL"),
    ):
        if server in ports:
            first, *others = usual[name].split(",")
            found[name] = ",".join([first.replace(f":{urlsplit(first).port}", f":{ports[server]}"), *others])
    return found

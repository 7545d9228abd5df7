"""A chaos run from beginning to end: a stack of its own, a sale, the faults, the quiet after them, the evidence."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from lab.chaos.checker import judge
from lab.chaos.checks.finding import Verdict
from lab.chaos.client import PATIENCE_S, Client
from lab.chaos.collector import Gathering, Unsettled
from lab.chaos.evidence import DIARY, Evidence
from lab.chaos.history import Diary
from lab.chaos.links import CLIENT, LINKS, Link, linked, tell
from lab.chaos.mutants.registry import VARIABLE
from lab.chaos.nemesis import Assault, NotBack
from lab.chaos.plan import COPY_EVERY_S, USUAL_HOLD_S, Plan
from lab.chaos.proxy import HOST, Proxy
from lab.chaos.schedule import Fault, link_faults, process_faults
from lab.target import Target, settings_of
from stack.embedded import Stack

PARTITIONS: Final = 4
LEDGERS: Final = 2
# The client is one, the real ones are many; and a hold whose buyer names no time has to end within the run.
SETTINGS: Final = {
    "TURNSTILE_SIGN_UP_LIMIT": "10000 per minute",
    "TURNSTILE_SIGN_IN_LIMIT": "10000 per minute",
    "TURNSTILE_SIGN_UP_TRIES": "10000",
    "TURNSTILE_HOLD_SECONDS": str(USUAL_HOLD_S),
    # Some holds are to be beyond each of them.
    "TURNSTILE_HOLD_SECONDS_MAX": "15",
    "TURNSTILE_HOLD_TICKETS_MAX": "6",
    "TURNSTILE_HOLD_COOLDOWN_SECONDS": "2",
    # No rule of the ledger, so the log can't tell whether a refusal is right.
    "TURNSTILE_HOLD_TICKETS_OVERALL_MAX": "0",
}
QUIET: Final = 0.92
SETTLING_S: Final = 120.0
LOOK_S: Final = 5.0
MUTANT: Final = ("lab.chaos", "mutant")

Tell = Callable[[str], None]


@dataclass
class Order:
    """What is wanted: the same seed makes the same load and the same faults. ``without`` names what is switched off.

    An older record comes again ``copy_every`` so many seconds. Everything has to come to rest within ``patience``, and
    the client asks for an answer for ``asking`` seconds.
    """

    seed: int
    seconds: float
    home: Path
    folder: Path
    without: Sequence[str] = ()
    processes: list[Fault] = field(default_factory=list)
    links: list[Fault] = field(default_factory=list)
    copy_every: float = COPY_EVERY_S
    patience: float = SETTLING_S
    asking: float = PATIENCE_S

    def __post_init__(self) -> None:
        until = self.seconds * QUIET
        self.processes = self.processes or process_faults(self.seed, until)
        self.links = self.links or link_faults(self.seed, until, [str(link) for link in LINKS])


@dataclass
class Result:
    """The verdict, and what it took to come to it."""

    verdict: Verdict
    survived: Counter[str]
    ended: Counter[str]
    seconds: float


class Run:
    """One run."""

    def __init__(self, order: Order, say: Tell) -> None:
        self.order = order
        self.began = time.monotonic()
        self._say = say
        self.diary = Diary(order.folder / DIARY)
        self.proxy = Proxy()
        self.stack = Stack.on_free_ports(order.home, workers=LEDGERS)
        self.ports = linked(self.stack, self.proxy)
        for name in self.stack.apps:
            tell(self.stack.members[name], SETTINGS)
            if order.without:
                tell(self.stack.members[name], {VARIABLE: ",".join(order.without)}, MUTANT)
        self.assault = Assault(self.stack, self.proxy, self.diary, self.say)
        self.plan = Plan(order.seed, order.seconds, PARTITIONS, order.copy_every)
        self.evidence = Evidence()
        self.failed: list[str] = []

    def say(self, text: str) -> None:
        """Tell what happens, with the time of the run."""
        self._say(f"{time.monotonic() - self.began:6.1f} s  {text}")

    def carry_out(self) -> Result:
        """Everything; the stack and its data are gone afterwards, the evidence is in the folder."""
        try:
            self._start()
            self._sale()
            self._gather()
        finally:
            self.diary.close()
            self._keep_logs()
            self.stack.remove()
            self.proxy.close()
        self.say("judging")
        self.evidence.diary = self.diary.notes
        self.evidence.save(self.order.folder)
        took = time.monotonic() - self.began
        return Result(judge(self.evidence), self.assault.survived, self.assault.ended, took)

    def _start(self) -> None:
        self.say("starting five servers, five workers, the API; every way between them over a proxy")
        self.stack.start(*self.stack.servers, "migrations", "administrator", "connectors", *self.stack.apps)
        self.client = Client(self.plan, self._target(), self._direct, self.diary, self.order.seed)
        self.client.patience = self.order.asking
        asyncio.run(self.client.prepare())

    @property
    def _direct(self) -> str:
        return f"{HOST}:{self.stack.settings.kafka_port}"

    def _target(self) -> Target:
        settings = settings_of(self.stack.environment)
        return Target(
            api=f"http://{HOST}:{self.ports[Link(CLIENT, 'api')]}",
            kafka=f"{HOST}:{self.ports[Link(CLIENT, 'kafka')]}",
            worker=f"http://{HOST}:{self.stack.settings.worker_port}",
            mails="",
            partitions=PARTITIONS,
            token_keys=settings.signing_keys(),
        )

    def _sale(self) -> None:
        """The client in a thread of its own, the faults here; in the end everything is healed and comes to rest."""
        acts = len(self.plan.acts)
        self.say(f"the sale begins: {acts} requests and records in {self.order.seconds:.0f} s")
        client = threading.Thread(target=self._client, name="client")
        client.start()
        try:
            self.assault.begin(self.order.links)
            self.assault.carry_out(self.order.processes, self.order.seconds)
            self.say("the faults are over")
            self.assault.heal()
            while client.is_alive():
                self.assault.keep(time.monotonic() + LOOK_S)
                self.say(f"{self.client.done} of {acts} done")
        except BaseException as error:
            self.client.give_up()
            if not isinstance(error, NotBack):
                raise
            self.failed.append(str(error))
        finally:
            client.join()

    def _client(self) -> None:
        try:
            asyncio.run(self.client.run())
        except Exception as error:  # noqa: BLE001 (told in the verdict, whatever it is)
            self.failed.append(f"the client ended with {error!r}")

    def _gather(self) -> None:
        settings = self.stack.settings
        gathering = Gathering(
            self._direct,
            self.stack.environment["TURNSTILE_DATABASE_URL"],
            f"http://{HOST}:{settings.elasticsearch_port}",
            f"http://{HOST}:{settings.worker_port}",
            settings.home / "mail",
        )
        self._come_to_rest(gathering)
        self.say("reading topics, tables, views, documents, mails")
        gathering.gather(self.evidence)
        run = {"seed": self.order.seed, "seconds": self.order.seconds, "partitions": PARTITIONS}
        self.evidence.run = run | {"without": list(self.order.without), "failed": self.failed}
        self.evidence.plan = [act.plain() for act in self.plan.acts]
        self.evidence.shows = [asdict(show) for show in [*self.plan.catalogue.shows, *self.plan.catalogue.drafts]]
        self.evidence.people = [asdict(each) for each in [*self.plan.catalogue.organizers, *self.plan.catalogue.buyers]]

    def _come_to_rest(self, gathering: Gathering) -> None:
        """Settle twice, with new rows seen through every connector between: what was captured late is then read too."""
        if self.failed:
            return
        self.say("waiting until everything is decided, projected, indexed and mailed")
        try:
            gathering.settle(self.order.patience)
            self.assault.heal()
            gathering.settle(self.order.patience)
            asyncio.run(self.client.close_up())
        except (Unsettled, NotBack) as error:
            self.failed.append(str(error))

    def _keep_logs(self) -> None:
        logs = self.stack.settings.home / "logs"
        kept = self.order.folder / "logs"
        kept.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            for path in logs.iterdir():
                (kept / path.name).write_bytes(path.read_bytes())

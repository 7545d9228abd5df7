"""A chaos run from start to end: a stack of its own, the workload, the faults, the recovery, the evidence."""

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
from lab.chaos.client import RETRY_MAX_S, Client
from lab.chaos.collector import Collector, Unsettled
from lab.chaos.evidence import HISTORY, Evidence
from lab.chaos.history import History
from lab.chaos.links import CLIENT, LINKS, Link, linked, start_with
from lab.chaos.mutants.registry import SHORT_EXTENSION, VARIABLE
from lab.chaos.nemesis import Nemesis, NotBack
from lab.chaos.proxy import HOST, Proxy
from lab.chaos.schedule import Fault, link_faults, process_faults
from lab.chaos.workload.producers import DEFAULT_HOLD_S
from lab.chaos.workload.workload import COPY_EVERY_S, Workload
from lab.target import Target, settings_of
from lab.trial_stack import TrialStack

PARTITIONS: Final = 4
LEDGERS: Final = 2
# One address sends everything, so limits by address are high. A hold without a time has to end within the run.
SETTINGS: Final = {
    "TURNSTILE_SIGN_UP_LIMIT": "10000 per minute",
    "TURNSTILE_SIGN_IN_LIMIT": "10000 per minute",
    "TURNSTILE_SIGN_UP_TRIES": "10000",
    "TURNSTILE_HOLD_SECONDS": str(DEFAULT_HOLD_S),
    # Some holds of the workload exceed each of these.
    "TURNSTILE_HOLD_SECONDS_MAX": "15",
    "TURNSTILE_HOLD_TICKETS_MAX": "6",
    "TURNSTILE_HOLD_COOLDOWN_SECONDS": "2",
    "TURNSTILE_PAYMENT_SECONDS": "10",
    "TURNSTILE_MAIL_RETRY_SECONDS": "5",
    # A limit of the API alone: the log can't tell whether its refusals are right.
    "TURNSTILE_HOLD_TICKETS_OVERALL_MAX": "0",
}
# The share of the run that has faults; the rest is recovery.
FAULTS_SHARE: Final = 0.92
SETTLE_MAX_S: Final = 120.0
PROGRESS_EVERY_S: Final = 5.0
MUTANT: Final = ("lab.chaos", "mutant")
PAYMENTS: Final = "payments-0"

Say = Callable[[str], None]


@dataclass
class Options:
    """The options of a run. The same seed makes the same workload and the same faults; ``without`` names mutants.

    In seconds: how often an older record is copied, how long the pipeline has to settle at the end, how long the client
    repeats a request.
    """

    seed: int
    seconds: float
    home: Path
    folder: Path
    without: Sequence[str] = ()
    processes: list[Fault] = field(default_factory=list)
    links: list[Fault] = field(default_factory=list)
    copy_every_s: float = COPY_EVERY_S
    settle_max_s: float = SETTLE_MAX_S
    retry_max_s: float = RETRY_MAX_S

    def __post_init__(self) -> None:
        until = self.seconds * FAULTS_SHARE
        self.processes = self.processes or process_faults(self.seed, until)
        self.links = self.links or link_faults(self.seed, until, [str(link) for link in LINKS])


@dataclass
class Result:
    """The verdict, the faults survived, the processes that ended by themselves, and how long it took (seconds)."""

    verdict: Verdict
    survived: Counter[str]
    ended: Counter[str]
    seconds: float


class Run:
    """One run."""

    def __init__(self, options: Options, say: Say) -> None:
        self.options = options
        self.began = time.monotonic()
        self._say = say
        self.history = History(options.folder / HISTORY)
        self.proxy = Proxy()
        self.stack = TrialStack.on_free_ports(options.home, workers=LEDGERS, paper="hostile")
        self.ports = linked(self.stack, self.proxy)
        for name in self.stack.apps:
            start_with(self.stack.members[name], SETTINGS)
            without = [*options.without, *([SHORT_EXTENSION] if name == PAYMENTS else [])]
            if without:
                start_with(self.stack.members[name], {VARIABLE: ",".join(without)}, MUTANT)
        self.nemesis = Nemesis(self.stack, self.proxy, self.history, self.say)
        self.workload = Workload(options.seed, options.seconds, PARTITIONS, options.copy_every_s)
        self.evidence = Evidence()
        self.failed: list[str] = []

    def say(self, text: str) -> None:
        """Print what happens, with the time of the run."""
        self._say(f"{time.monotonic() - self.began:6.1f} s  {text}")

    def carry_out(self) -> Result:
        """Carry out the run and judge it. The evidence is in the folder; the stack and its data are deleted."""
        try:
            self._start()
            self._load()
            self._collect()
        finally:
            self.history.close()
            self._keep_logs()
            self.stack.remove()
            self.proxy.close()
        self.say("judging")
        self.evidence.history = self.history.notes
        self.evidence.save(self.options.folder)
        took = time.monotonic() - self.began
        return Result(judge(self.evidence), self.nemesis.survived, self.nemesis.ended, took)

    def _start(self) -> None:
        self.say("starting six servers, seven workers, the API, with a proxy in every link")
        self.stack.start(*self.stack.servers, "migrations", "administrator", "connectors", *self.stack.apps)
        self.client = Client(self.workload, self._target(), self._direct, self.history, self.options.seed)
        self.client.retry_max_s = self.options.retry_max_s
        asyncio.run(self.client.prepare())

    @property
    def _direct(self) -> str:
        return f"{HOST}:{self.stack.settings.kafka_port}"

    def _target(self) -> Target:
        settings = settings_of(self.stack.environment)
        return Target(
            api=f"http://{HOST}:{self.ports[Link(CLIENT, 'api')]}",
            kafka={"bootstrap_servers": f"{HOST}:{self.ports[Link(CLIENT, 'kafka')]}"},
            worker=f"http://{HOST}:{self.stack.settings.worker_port}",
            mails="",
            partitions=PARTITIONS,
            token_keys=settings.signing_keys(),
        )

    def _load(self) -> None:
        """Run the client in a thread, carry out the faults in this one, then heal and wait for the client."""
        operations = len(self.workload.operations)
        self.say(f"the workload begins: {operations} requests and records in {self.options.seconds:.0f} s")
        client = threading.Thread(target=self._client, name="client")
        client.start()
        try:
            self.nemesis.begin(self.options.links)
            self.nemesis.carry_out(self.options.processes, self.options.seconds)
            self.say("the faults are over")
            self.nemesis.heal()
            while client.is_alive():
                self.nemesis.keep(time.monotonic() + PROGRESS_EVERY_S)
                self.say(f"{self.client.done} of {operations} done")
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
        except Exception as error:  # noqa: BLE001 (the verdict names it)
            self.failed.append(f"the client ended with {error!r}")

    def _collect(self) -> None:
        settings = self.stack.settings
        collector = Collector(
            self._direct,
            self.stack.environment["TURNSTILE_DATABASE_URL"],
            f"http://{HOST}:{settings.elasticsearch_port}",
            f"http://{HOST}:{settings.worker_port}",
            settings.home,
        )
        self._settle(collector)
        self.say("reading topics, tables, views, documents, mails")
        collector.collect(self.evidence)
        run = {"seed": self.options.seed, "seconds": self.options.seconds, "partitions": PARTITIONS}
        self.evidence.run = run | {"without": list(self.options.without), "failed": self.failed}
        self.evidence.workload = [operation.as_json() for operation in self.workload.operations]
        catalogue = self.workload.catalogue
        self.evidence.shows = [asdict(show) for show in [*catalogue.shows, *catalogue.drafts]]
        self.evidence.people = [asdict(person) for person in [*catalogue.organizers, *catalogue.buyers]]

    def _settle(self, collector: Collector) -> None:
        """Settle twice. In between a new row passes every connector, so rows captured late are read too."""
        if self.failed:
            return
        self.say("waiting until everything is decided, projected, indexed and mailed")
        try:
            collector.settle(self.options.settle_max_s)
            self.nemesis.heal()
            collector.settle(self.options.settle_max_s)
            asyncio.run(self.client.close_up())
        except (Unsettled, NotBack) as error:
            self.failed.append(str(error))

    def _keep_logs(self) -> None:
        logs = self.stack.settings.home / "logs"
        kept = self.options.folder / "logs"
        kept.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            for path in logs.iterdir():
                (kept / path.name).write_bytes(path.read_bytes())

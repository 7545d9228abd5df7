"""What ``make run`` does: everything is started in order, watched, started again when it dies, stopped in order."""

import signal
import time
from collections import Counter

from rich.table import Table

from stack.embedded import Stack
from stack.errors import StackError
from stack.progress import Steps
from stack.secret_files import NAMES
from stack.server import HOST
from stack.settings import StackSettings

PAUSE = 0.5
RESTARTS = {"app": 5, "server": 2}
FORGIVEN_AFTER = 300.0
FEED_CONNECTORS = {"kafka", "postgres", "connect"}


def run(stack: Stack, steps: Steps) -> None:
    """Start everything, tell where it is and keep it running until Ctrl-C."""
    _check_brokers(stack.settings)
    stack.open(stack.settings.server_ports() | stack.settings.app_ports())
    stack.settings.remember()
    stack.start(*stack.servers, *stack.steps, *stack.apps)
    steps.say("everything is ready")
    steps.console.print(addresses(stack))
    steps.console.print(TO_TRY.format(root=f"http://{HOST}:{stack.settings.api_port}"), soft_wrap=True)
    Watch(stack, steps).keep()


def _check_brokers(settings: StackSettings) -> None:
    made = settings.chosen().get("brokers", settings.brokers)
    if made != settings.brokers:
        raise StackError(
            f"the data folder {settings.home} was made with BROKERS={made}, not {settings.brokers}: ask for {made}, "
            "name another folder (TURNSTILE_HOME), or delete it (make clean-data)"
        )


class Watch:
    """Starts again what dies; gives up on what keeps dying."""

    def __init__(self, stack: Stack, steps: Steps) -> None:
        self.stack = stack
        self.steps = steps
        self.restarts: Counter[str] = Counter()
        self.calm_since = time.monotonic()

    def keep(self) -> None:
        """Watch until a signal ends this process's main loop."""
        while True:
            for name in self.stack.dead():
                self.revive(name)
            if time.monotonic() - self.calm_since > FORGIVEN_AFTER:
                self.restarts.clear()
            time.sleep(PAUSE)

    def revive(self, name: str) -> None:
        """Start one dead process again. Raises ServerFailed when it has died too often."""
        code = self.stack.processes[name].returncode
        limit = RESTARTS["app" if name in self.stack.apps else "server"]
        self.calm_since = time.monotonic()
        self.restarts[name] += 1
        if self.restarts[name] > limit:
            raise self.stack.failure(name, f"ended {self.restarts[name]} times, the last time with {_ended(code)}")
        log = self.stack.members[name].log
        self.steps.say(f"{name} ended with {_ended(code)}: starting it again ({self.restarts[name]} of {limit}); {log}")
        self.stack.start(name)
        if name in FEED_CONNECTORS:
            self.stack.start("connectors")


def _ended(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def addresses(stack: Stack) -> Table:
    """Where everything is."""
    settings = stack.settings
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = {
        "box office": f"http://{HOST}:{settings.api_port}/",
        "REST API": f"http://{HOST}:{settings.api_port}/api/v3",
        "its documentation": f"http://{HOST}:{settings.api_port}/docs",
        "mails": f"http://{HOST}:{settings.mail_port}/",
        "ledger worker": f"http://{HOST}:{settings.worker_port}/health/ready",
        "metrics": f"http://{HOST}:{settings.exporter_port}/metrics, of the API http://{HOST}:{settings.api_metrics_port}/",
        "Elasticsearch": f"http://{HOST}:{settings.elasticsearch_port}/events/_search",
        "Kafka Connect": f"http://{HOST}:{settings.connect_port}/connectors",
        "Kafka": settings.kafka_servers.replace(",", ", "),
        "PostgreSQL": f"{HOST}:{settings.postgres_port} database turnstile",
        "data": str(settings.home),
        "administrator": f"{settings.admin_email}, password in {settings.home / NAMES['admin_password']}",
        "logs": str(settings.home / "logs"),
    }
    if settings.zipkin:
        rows["traces"] = f"http://{HOST}:{settings.zipkin_port}/zipkin/"
    for name, place in rows.items():
        table.add_row(name, place)
    return table


TO_TRY = """
Buy a ticket at {root}/, and look into the mails. Or try, in another terminal:
  curl '{root}/api/v3/events/search?q=jazz'
  make demo
  ./turnstile status
  make worker
Ctrl-C stops everything; the data stays, make clean-data deletes it.
"""

"""``make run``: start everything, keep each part running, print what happens, stop in order."""

from stack.embedded import Stack
from stack.errors import StackError
from stack.member import HOST
from stack.part import PartPhase, SupervisedPart
from stack.progress import STARTING, ProgressPrinter
from stack.secret_files import NAMES
from stack.settings import StackSettings
from stack.supervision import Supervision


def run(stack: Stack, steps: ProgressPrinter) -> None:
    """Start everything, print the addresses and keep it running until Ctrl-C. Raises StackError if it can't run."""
    _check_brokers(stack.settings)
    stack.open(stack.settings.server_ports() | stack.settings.app_ports())
    stack.settings.remember()
    report = StatusPrinter(stack, steps)
    supervision = Supervision(stack, [*stack.servers, *stack.steps, *stack.apps], report.tell)
    try:
        while True:
            supervision.step()
            report.look(supervision)
            supervision.pause()
    finally:
        supervision.close()


def _check_brokers(settings: StackSettings) -> None:
    made = settings.chosen().get("brokers", settings.brokers)
    if made != settings.brokers:
        raise StackError(
            f"the data folder {settings.home} was made with BROKERS={made}, not {settings.brokers}: ask for {made}, "
            "name another folder (TURNSTILE_HOME), or delete it (make clean-data)"
        )


class StatusPrinter:
    """Prints each part that becomes ready, the addresses once nothing is waited for, then changes."""

    def __init__(self, stack: Stack, steps: ProgressPrinter) -> None:
        self._stack = stack
        self._steps = steps
        self._phases: dict[str, PartPhase] = {}
        self._settled = False
        self._lacking = False

    def tell(self, part: SupervisedPart, news: str) -> None:
        """Print the news of a part that failed, complains, or works again."""
        member = self._stack.members[part.name]
        if part.phase is PartPhase.DOWN:
            again = "tried" if member.runs_once else "started"
            news = f"{news}; it is {again} again, at growing pauses; its log is {member.log}"
        self._steps.report(part.name, news)

    def look(self, supervision: Supervision) -> None:
        """Print what has changed since the last call."""
        for name, part in supervision.parts.items():
            if part.phase is not self._phases.get(name):
                self._phases[name] = part.phase
                self._show(part)
        if not self._settled and supervision.is_settled:
            self._settle(supervision.down())
        elif self._lacking and supervision.is_whole:
            self._steps.say("everything is ready now")
            self._lacking = False

    def _show(self, part: SupervisedPart) -> None:
        if part.phase is PartPhase.STARTING and not self._settled:
            self._steps.report(part.name, STARTING)
        elif part.works and not part.failures and not self._settled:
            self._steps.report(part.name, part.phase)

    def _settle(self, down: dict[str, str]) -> None:
        self._settled, self._lacking = True, bool(down)
        self._steps.quiet()
        lacking = "nothing can be bought yet:" if "api" in down else "ready, but:"
        self._steps.say(lacking if down else "everything is ready")
        for name, reason in down.items():
            self._steps.console.print(f"          {name:<14} {reason}", markup=False, soft_wrap=True)
        self._steps.console.print(addresses(self._stack), markup=False, soft_wrap=True)
        root = f"http://{HOST}:{self._stack.settings.api_port}"
        self._steps.console.print(TO_TRY.format(root=root), soft_wrap=True)


def addresses(stack: Stack) -> str:
    """A line for each address; paths are whole, however narrow the terminal is."""
    settings = stack.settings
    rows = {
        "box office": f"http://{HOST}:{settings.api_port}/",
        "REST API": f"http://{HOST}:{settings.api_port}/api/v3",
        "its documentation": f"http://{HOST}:{settings.api_port}/docs",
        "mails": f"http://{HOST}:{settings.mail_port}/",
        "payments (Paper)": f"http://{HOST}:{settings.paper_port}/",
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
    return "\n".join(f"{name:<17}  {place}" for name, place in rows.items())


TO_TRY = """
Buy a ticket at {root}/, and look into the mails. Or try, in another terminal:
  curl '{root}/api/v3/events/search?q=jazz'
  make demo
  ./turnstile status
  make worker
Ctrl-C stops everything; the data stays, make clean-data deletes it.
"""

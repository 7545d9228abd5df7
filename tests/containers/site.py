"""The deployment in containers of one image, beside the embedded servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from api.roles import Role
from lab.trial_stack import TrialStack
from ops.secrets import make_secrets
from stack.environment import app_environment, worker_environment
from stack.member import HOST, NO_CAS
from stack.secret_files import KAFKA_PASSWORDS, secret
from tests.containers.container import Container
from tests.containers.engine import ROOT
from tests.eventually import eventually
from tests.pipeline import NOBODY, Json, Pipeline
from tests.yaml_files import read_yaml

COMPOSE: Final = ROOT / "docker-compose.yml"
# In the order of their dependencies. The embedded Elasticsearch has no users, which search-access would make.
JOBS: Final = ("bootstrap", "kafka-access", "capture")
WORKERS: Final = ("ledger", "indexer", "notifications", "sales", "gate", "payments")
PARTS: Final = ("api", "exporter", *WORKERS)
KEYS: Final = ("token_key", "link_key", "ticket_key", "paper_key")
OF_THE_STACK: Final = ("cdc_password", "admin_password", *KEYS, *KAFKA_PASSWORDS.values())
HEALTHY_WITHIN_S: Final = 120
JOB_TIMEOUT_S: Final = 180


@dataclass
class Site:
    """The containers by service. ``prefix`` begins their names, so that they are told from others."""

    stack: TrialStack
    image: str
    folder: Path
    prefix: str = "turnstile-test"
    services: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.services = read_yaml(COMPOSE.read_text())["services"]
        make_secrets(self.folder)
        for name in OF_THE_STACK:
            self._give(name, secret(self.stack.settings.home, name))
        self._give("database_url", self.stack.environment["TURNSTILE_DATABASE_URL"])

    def container(self, service: str) -> Container:
        """The container of a service, which may or may not exist."""
        host = app_environment(self.stack.settings)
        if service in WORKERS:
            host |= worker_environment(self.stack.settings, service, 0)
        return Container(f"{self.prefix}-{service}", self.services[service], self.image, self.folder, host)

    def run_job(self, service: str) -> str:
        """Run a job to its end; what it said. Raises CalledProcessError where it fails."""
        return self.container(service).run("--rm", timeout_s=JOB_TIMEOUT_S)

    @contextmanager
    def running(self, *services: str) -> Iterator[dict[str, Container]]:
        """These services, started; they are removed at the end, and what they said is shown if something failed."""
        containers = {name: self.container(name) for name in services}
        try:
            for container in containers.values():
                container.run("--detach")
            yield containers
        except BaseException:
            print(*(f"--- {name}\n{one.log()}" for name, one in containers.items()), sep="\n")
            raise
        finally:
            for container in containers.values():
                container.remove()

    def is_live(self, service: str) -> bool:
        """Whether a part answers that it is alive, on this machine's address of it."""
        told = self.container(service).environment
        of_worker = "TURNSTILE_WORKER_PORT" in told
        port = told["TURNSTILE_WORKER_PORT" if of_worker else "TURNSTILE_API_PORT"]
        path = "/health/live" if of_worker else "/api/v3/health/live"
        try:
            return httpx.get(f"http://{HOST}:{port}{path}", trust_env=False, verify=NO_CAS).is_success
        except httpx.TransportError:
            return False

    def _give(self, name: str, text: str) -> None:
        path = self.folder / name
        path.chmod(0o644)
        path.write_text(text)


class Shop(Pipeline):
    """What a customer of the deployment does: over HTTP alone."""

    def __post_init__(self) -> None:
        self.http = self.client(NOBODY, Role.ADMINISTRATOR)

    def close(self) -> None:
        self.http.close()

    def ledger_view(self, event: str, token: str) -> Json:
        """The event by the ledger's worker, as soon as that has it."""
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.worker}/api/event/{event}/"
        answer = eventually(lambda: self._answer(url, headers), within=30)
        found: Json = answer.json()
        return found

    def _answer(self, url: str, headers: dict[str, str]) -> httpx.Response | None:
        answer = httpx.get(url, headers=headers, trust_env=False, verify=NO_CAS)
        return answer if answer.is_success else None

"""Paper (stack/paper.py) as one of the servers of the stack."""

import signal
import sys
from pathlib import Path

from stack.child import Command
from stack.member import HOST, StackMember, answers
from stack.secret_files import NAMES, secret
from stack.settings import StackSettings


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
        return Command(argv, self.log, cwd=Path(__file__).parents[1], death_signal=signal.SIGTERM)

    def ready(self) -> bool:
        """Whether its books are shown."""
        return answers(f"{self._url}/")

    @property
    def _url(self) -> str:
        return f"http://{HOST}:{self.settings.paper_port}"

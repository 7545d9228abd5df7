"""One more API process on the pipeline's servers, as on another host."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lab.free_ports import free
from lab.trial_stack import TrialStack
from stack.member import HOST, answers
from tests.eventually import eventually

ROOT = Path(__file__).parents[1]
STOPS_WITHIN_S = 8


@dataclass
class Instance:
    """A context manager: starts the process, and stops it with SIGTERM as a rolling restart does."""

    stack: TrialStack
    port: int = field(default_factory=lambda: free(1)[0])
    more: Mapping[str, str] = field(default_factory=dict)
    output: IO[bytes] | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/api/v3"

    def start(self) -> None:
        own = {"TURNSTILE_API_PORT": str(self.port), "TURNSTILE_API_METRICS_PORT": "0"}
        environment = {**os.environ, **self.stack.environment, **own, **self.more}
        self._process = subprocess.Popen((sys.executable, "-m", "api"), cwd=ROOT, env=environment, stdout=self.output)
        eventually(self.is_ready, within=60)

    def stop(self) -> int:
        """The exit code of a stop that was asked for and not forced."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOPS_WITHIN_S)
        finally:
            self._process.kill()
            self._process.wait()

    def is_ready(self) -> bool:
        """Whether it can sell."""
        return answers(f"{self.url}/health/ready")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

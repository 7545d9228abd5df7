"""The demonstration, as a newcomer runs it, against this run's pipeline."""

import os
import subprocess
import sys

from tests.pipeline import Pipeline


def test_the_demonstration_keeps_every_promise(pipeline: Pipeline) -> None:
    settings = pipeline.stack.settings
    own = {"TURNSTILE_HOME": str(settings.home), "TURNSTILE_MAIL_PORT": str(settings.mail_port)}

    done = subprocess.run(
        [sys.executable, "-m", "bench.demo", "--buyers", "600", "--seed", "7"],
        env={**os.environ, **pipeline.stack.environment, **own},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "every promise held" in done.stdout
    assert "50 of 50" in done.stdout

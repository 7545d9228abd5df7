"""``python -m streams``: run one worker until it is told to stop."""

from mode.loop import use

use("uvloop")

import sys  # noqa: E402

import faust  # noqa: E402

from settings import settings  # noqa: E402
from streams.worker import make_worker  # noqa: E402


def main() -> int:
    """Run the worker; Faust handles the signals."""
    chosen = settings()
    app = make_worker(chosen)
    # Below "info" Faust turns on debug records inside, at a fifth of the speed.
    worker = faust.Worker(app, loglevel="info", daemon=True, quiet=False)
    worker.execute_from_commandline()
    return 0


if __name__ == "__main__":
    sys.exit(main())

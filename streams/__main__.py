"""``python -m streams``: run one worker until it is told to stop."""

from mode.loop import use

use("uvloop")

import gc  # noqa: E402
import sys  # noqa: E402

import faust  # noqa: E402

from settings import settings  # noqa: E402
from streams import failstop  # noqa: E402
from streams.boot import NotProvisioned, wait_until_provisioned  # noqa: E402
from streams.places import under_work  # noqa: E402
from streams.worker import make_worker  # noqa: E402
from telemetry.logs import configure  # noqa: E402

# Records come and go by the thousand, and hardly ever in cycles: looking for those at Python's usual 700 new
# objects costs a tenth of a decision.
GC_THRESHOLDS = (100_000, 50, 50)


def main() -> None:
    """Run the worker; Faust handles the signals and ends the process."""
    chosen = settings()
    configure(chosen.log_level, chosen.log_format, chosen.worker_id, under_work)
    try:
        wait_until_provisioned(chosen)
    except NotProvisioned as error:
        sys.exit(f"{error}")
    app = make_worker(chosen)
    failstop.note_in(chosen.worker_data)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    worker = faust.Worker(app, daemon=True, quiet=True, override_logging=False)
    # It would write to the terminal, and have every record of the log for it.
    worker.spinner = None
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()

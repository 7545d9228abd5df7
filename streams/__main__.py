"""``python -m streams``: run one worker until it is told to stop."""

from telemetry.signals import end_at_once

if __name__ == "__main__":
    end_at_once()

import asyncio

import uvloop

# Before anything of Faust is imported.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

import gc  # noqa: E402
import sys  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402

from settings import Settings, settings  # noqa: E402
from streams.runtime import failstop  # noqa: E402
from streams.runtime.process import WorkerProcess  # noqa: E402
from streams.runtime.provisioning import wait_until_provisioned  # noqa: E402
from streams.runtime.record_context import under_work  # noqa: E402
from streams.runtime.waiting import PortTaken, Waiting  # noqa: E402
from streams.worker import make_worker  # noqa: E402
from telemetry.logs import configure_logging  # noqa: E402

# Records come and go by the thousand, and hardly ever in cycles: looking for those at Python's usual 700 new
# objects costs a tenth of a decision.
GC_THRESHOLDS = (100_000, 50, 50)


def main() -> None:
    """Run the worker; Faust handles the signals and ends the process."""
    chosen = settings()
    configure_logging(chosen.log_level, chosen.log_format, chosen.worker_id, under_work)
    wait_for_kafka(chosen)
    app = make_worker(chosen)
    failstop.note_in(chosen.worker_data)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    WorkerProcess(app, daemon=True, quiet=True, override_logging=False).execute_from_commandline()


def wait_for_kafka(chosen: Settings) -> None:
    """Return once every topic is as it has to be. Ends the process where the worker's port is taken.

    The looks are in a thread, since a signal can't end the process while its main thread waits for a name service.
    """
    with Waiting(chosen.worker_bind, chosen.worker_port) as waiting, ThreadPoolExecutor(1) as looks:
        try:
            looks.submit(wait_until_provisioned, chosen, waiting.tell).result()
        except PortTaken as error:
            sys.exit(f"{error}")


if __name__ == "__main__":
    main()

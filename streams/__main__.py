"""``python -m streams``: run one worker until it is stopped."""

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

from connect.records import connection  # noqa: E402
from settings import Settings, settings  # noqa: E402
from streams.runtime import failstop  # noqa: E402
from streams.runtime.app import web_tls  # noqa: E402
from streams.runtime.process import WorkerProcess  # noqa: E402
from streams.runtime.provisioning import wait_until_provisioned  # noqa: E402
from streams.runtime.record_context import batch_fields  # noqa: E402
from streams.runtime.waiting import PortTaken, WaitingPages  # noqa: E402
from streams.worker import make_worker  # noqa: E402
from telemetry.logs import configure_logging  # noqa: E402
from telemetry.open_files import raise_limit  # noqa: E402

# Thousands of records come and go, hardly ever in cycles. With Python's threshold of 700 objects the collector takes a
# tenth of the time of a decision.
GC_THRESHOLDS = (100_000, 50, 50)


def main() -> None:
    """Run the worker; Faust handles signals and ends the process."""
    chosen = settings()
    configure_logging(chosen.log_level, chosen.log_format, chosen.worker_id, batch_fields)
    raise_limit()
    wait_for_kafka(chosen)
    connection.install()
    app = make_worker(chosen)
    failstop.record_in(chosen.worker_data)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    WorkerProcess(app, daemon=True, quiet=True, override_logging=False).execute_from_commandline()


def wait_for_kafka(chosen: Settings) -> None:
    """Return once every topic is as it should be. Ends the process where the worker's port is in use.

    The checks run in a thread: no signal can end the process while its main thread waits for a name lookup.
    """
    pages = WaitingPages(chosen.worker_bind, chosen.worker_port, web_tls(chosen))
    with pages, ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(wait_until_provisioned, chosen, pages.report).result()
        except PortTaken as error:
            sys.exit(f"{error}")


if __name__ == "__main__":
    main()

"""Whether a worker lives and whether it is at work: ``/health/live`` and ``/health/ready``."""

from typing import Any

from faust.types.web import Request, Response, View

from streams.runtime.app import App
from streams.runtime.watchdog import Pulse


class Health:
    """The two pages that a supervisor asks."""

    def __init__(self, app: App, pulse: Pulse) -> None:
        self.app = app
        self.pulse = pulse

        # Faust makes a class of a handler, so it must be a plain function.
        @app.page("/health/live", name="live")  # type: ignore[untyped-decorator,unused-ignore]
        async def live(view: View, request: Request) -> Response:
            return self.live(view)

        @app.page("/health/ready", name="ready")  # type: ignore[untyped-decorator,unused-ignore]
        async def ready(view: View, request: Request) -> Response:
            return self.ready(view)

    def live(self, view: View) -> Response:
        """Whether the process answers, and works if there is work."""
        sick = self.pulse.sick
        return view.json({"status": sick or "live"}, status=503 if sick else 200)

    def ready(self, view: View) -> Response:
        """Whether the tables are recovered and partitions are being read."""
        app: Any = self.app
        ready = bool(not app.rebalancing and app.tables.actives_ready and app.consumer.assignment())
        return view.json({"status": "ready" if ready else "recovering"}, status=200 if ready else 503)

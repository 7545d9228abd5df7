"""Whether a worker lives and whether it is at work: ``/health/live`` and ``/health/ready``."""

from streams.runtime.app import App
from streams.runtime.assignment import is_recovered
from streams.runtime.watchdog import Pulse
from streams.runtime.web import Request, Response, View, add_page


class Health:
    """The two pages that a supervisor asks."""

    def __init__(self, app: App, pulse: Pulse) -> None:
        self.app = app
        self.pulse = pulse
        add_page(app, "/health/live", "live", self.live)
        add_page(app, "/health/ready", "ready", self.ready)

    async def live(self, view: View, request: Request) -> Response:
        """Whether the process answers, and works if there is work."""
        sick = self.pulse.sick
        return view.json({"status": sick or "live"}, status=503 if sick else 200)

    async def ready(self, view: View, request: Request) -> Response:
        """Whether the tables are recovered and partitions are being read."""
        ready = is_recovered(self.app) and bool(self.app.consumer.assignment())
        return view.json({"status": "ready" if ready else "recovering"}, status=200 if ready else 503)

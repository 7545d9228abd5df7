"""What the HTTP server serves: ``api.wsgi:make_app()``."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from api.accesses import Accesses
from api.app import create_app
from api.connection import Quick
from api.figures import RequestFigures
from api.servers.open import open_servers
from api.tracing import Traced, traced
from settings import settings
from telemetry.logs import configure
from telemetry.traces import make_traces

# Nobody is let in before there is an application, so one that starts beside others refuses nobody. A stop waits for it.
PATIENCE_S = 3.0


def make_app() -> Flask:
    """The application by the settings of this process.

    ``app.extensions["close"]`` lets go of its servers; ``["figures"]`` is for the HTTP server to count in;
    ``["quick"]``, unless it is None, is what the server may ask first (api/express.py).
    """
    now = settings()
    configure(now.log_level, now.log_format, "api", traced)
    servers = open_servers(now)
    servers.wait(PATIENCE_S)
    app = create_app(servers.ports)
    quick: Quick | None = app.extensions["express"].quick
    if now.access_log:
        app.wsgi_app = Accesses(app.wsgi_app)  # type: ignore[method-assign]
        quick = None
    traces = make_traces("turnstile-api", now)
    if traces is not None and now.trace_ratio:
        tracer = Traced(app.wsgi_app, traces, now.trace_ratio)
        app.wsgi_app = tracer  # type: ignore[method-assign]
        quick = tracer.before(quick) if quick is not None else None
    app.extensions["quick"] = quick
    believe_proxies(app, now.trusted_proxies)
    app.extensions["close"] = servers.close
    app.extensions["figures"] = RequestFigures(servers.gauges)
    return app


def believe_proxies(app: Flask, number: int) -> None:
    """Take the client's address, and whether it came by TLS, from so many proxies before the application."""
    if number:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number)  # type: ignore[method-assign]

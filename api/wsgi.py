"""What the HTTP server serves: ``api.wsgi:make_app()``."""

import logging

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from api.app import create_app
from api.figures import RequestFigures
from api.servers.open import open_servers
from api.tracing import Traced
from settings import settings
from telemetry.traces import make_traces

# A server that is down is told once by the request that missed it; its client says it for every attempt.
CHATTY = ("kafka", "psycopg.pool", "elastic_transport", "httpx")


# Nobody is let in before there is an application, so one that starts beside others refuses nobody.
PATIENCE_S = 5.0


def make_app() -> Flask:
    """The application by the settings of this process.

    ``app.extensions["close"]`` lets go of its servers; ``["figures"]`` is for the HTTP server to count in.
    """
    now = settings()
    logging.basicConfig(level=now.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    servers = open_servers(now)
    servers.wait(PATIENCE_S)
    app = create_app(servers.ports)
    traces = make_traces("turnstile-api", now)
    if traces is not None and now.trace_ratio:
        app.wsgi_app = Traced(app.wsgi_app, traces, now.trace_ratio)  # type: ignore[method-assign]
    believe_proxies(app, now.trusted_proxies)
    app.extensions["close"] = servers.close
    app.extensions["figures"] = RequestFigures(servers.gauges)
    return app


def believe_proxies(app: Flask, number: int) -> None:
    """Take the client's address, and whether it came by TLS, from so many proxies before the application."""
    if number:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number)  # type: ignore[method-assign]

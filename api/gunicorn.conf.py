"""How gunicorn serves the API: one process, whose connections cost little while they wait (api/serving.py).

Read by gunicorn's master before the worker patches the standard library: only the settings are imported here.
"""

import gc
from typing import Any

from settings import settings

_now = settings()

wsgi_app = "api.wsgi:make_app()"
bind = f"{_now.api_bind}:{_now.api_port}"
workers = 1
worker_class = "api.serving.Worker"
worker_connections = 4000
backlog = 2048

# Longer than clients and proxies keep theirs, so that they close an idle connection, not we while they use it.
keepalive = 75
graceful_timeout = 8
timeout = 60

# A choice among many ticket types is a long address.
limit_request_line = 8190

# Whom to believe about the client is TURNSTILE_TRUSTED_PROXIES; gunicorn's own look at each peer would come twice.
forwarded_allow_ips = ""

loglevel = _now.log_level
# Its own lines look like all others; accesses are told by api/accesses.py.
errorlog = None
accesslog = None
logconfig_dict = {
    "formatters": {"lines": {"()": "telemetry.logs.Lines", "form": _now.log_format, "part": "api"}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stdout"}},
    "root": {"level": _now.log_level.upper(), "handlers": ["lines"]},
    "loggers": {name: {"handlers": [], "propagate": True} for name in ("gunicorn.error", "gunicorn.access")},
}
proc_name = "turnstile-api"
# It would open a socket in the user's home, one for all servers of that user.
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Tell operators what is counted; let the garbage collector look at requests only, and seldom."""
    from api.metrics import serve_metrics  # noqa: PLC0415 (not before the standard library is patched)

    figures = getattr(worker.wsgi, "extensions", {}).get("figures")
    if figures is not None:
        worker.answers = figures.answers
        worker.metrics = serve_metrics(figures, (_now.api_metrics_bind, _now.api_metrics_port))
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def worker_exit(server: Any, worker: Any) -> None:
    """Let go of the servers once the last request is answered."""
    if hasattr(worker, "metrics"):
        worker.metrics.stop(timeout=0)
    close = getattr(worker.wsgi, "extensions", {}).get("close")
    if close is not None:
        close()

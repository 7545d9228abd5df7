"""How gunicorn serves the API: one process, a greenlet per connection, so that waiting costs little.

Read by gunicorn's master before the worker patches the standard library: only the settings are imported here.
"""

from typing import Any

from settings import settings

_now = settings()

wsgi_app = "api.wsgi:make_app()"
bind = f"{_now.api_bind}:{_now.api_port}"
workers = 1
worker_class = "gevent"
worker_connections = 4000
backlog = 2048

# An idle connection must end before the worker stops waiting for it, or every stop takes the whole time.
keepalive = 2
graceful_timeout = 8
timeout = 60

loglevel = _now.log_level
errorlog = "-"
accesslog = None
proc_name = "turnstile-api"
# It would open a socket in the user's home, one for all servers of that user.
control_socket_disable = True


def worker_exit(server: Any, worker: Any) -> None:
    """Let go of the servers once the last request is answered."""
    close = getattr(worker.wsgi, "extensions", {}).get("close")
    if close is not None:
        close()

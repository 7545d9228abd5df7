"""Liveness, and readiness by server."""

import logging
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, Response

from api.ports.ports import ports
from api.ports.server import Probe
from api.schemas.health import Liveness, Readiness
from api.web.responses import answer, answers, blueprint
from telemetry.rate_limited import RateLimitedLog

health = blueprint("health", "health")

NEEDED = frozenset({"postgres", "kafka"})
limited_log = RateLimitedLog(logging.getLogger(__name__))


@health.get("/health/live", summary="Does the process live?", responses=answers({200: Liveness}))
def live() -> Response:
    """Without asking any server."""
    return answer(Liveness())


@health.get("/health/ready", summary="Can the process do its work?", responses={200: Readiness, 503: Readiness})
def ready() -> Response:
    """Probes every server; 503 if one is down that sales need."""
    probes = ports().probes
    with ThreadPoolExecutor(max_workers=max(1, len(probes))) as pool:
        states = dict(zip(probes, pool.map(_state, probes, probes.values()), strict=True))
    down = {name for name, state in states.items() if state != "up"}
    status = "unready" if down & NEEDED else "degraded" if down else "ready"
    return answer(Readiness(status=status, checks=states), 503 if status == "unready" else 200)


def register_probes(app: Flask) -> None:
    """Serve these at /health too, where load balancers and containers look by default."""
    app.add_url_rule("/health/live", "plain_live", live)
    app.add_url_rule("/health/ready", "plain_ready", ready)


def _state(name: str, probe: Probe) -> str:
    try:
        probe()
    except Exception as error:  # noqa: BLE001 (whatever it is, the server can't be used)
        limited_log.warning(name, "%s is down: %r", name, error)
        return "down"
    return "up"

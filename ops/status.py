"""The state of every part, asked from outside and all at the same time, so that none waits for one that is down."""

import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx

from ops.part_status import TIMEOUT_S, PartState, PartStatus, Probe
from ops.server_probes import dead_letters, elasticsearch, kafka, kafka_connect, mail, postgres
from ops.worker_probes import ledger_workers, roles
from settings import Settings
from telemetry.call_deadlines import TimedTransport

# The phases of working parts (stack/part.py).
WORKING: Final = ("ready", "done")


def look(now: Settings, probes: dict[str, Probe] | None = None) -> list[PartStatus]:
    """The state of every part. One that can't be asked is down, with the reason in one line."""
    chosen = PROBES if probes is None else probes
    with ThreadPoolExecutor(len(chosen)) as pool:
        found = pool.map(lambda name: _asked(name, chosen[name], now), chosen)
        parts = [part for parts in found for part in parts]
    return [*_stopped(now, parts), *parts]


def worst(parts: Sequence[PartStatus]) -> PartState:
    """The worst state."""
    states = {part.state for part in parts}
    return PartState.DOWN if PartState.DOWN in states else PartState.WARN if PartState.WARN in states else PartState.OK


def _stopped(now: Settings, parts: Sequence[PartStatus]) -> Iterable[PartStatus]:
    """How to start the embedded stack if none of it runs; the line of its supervisor, if there is one, says it too."""
    is_embedded, names = now.supervisor_file is not None, {part.name for part in parts}
    if is_embedded and names and "supervisor" not in names and all(part.state is PartState.DOWN for part in parts):
        yield PartStatus("supervisor", PartState.DOWN, "nothing runs: `make run` starts everything")


def _asked(name: str, probe: Probe, now: Settings) -> list[PartStatus]:
    try:
        return list(probe(now))
    except Exception as error:  # noqa: BLE001 (the part can't be asked, the others can)
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return [PartStatus(name, PartState.DOWN, lines[0])]


def _supervisor(now: Settings) -> Iterable[PartStatus]:
    """The state of the embedded stack's supervisor; nothing without one, as in containers."""
    if now.supervisor_file is None or not now.supervisor_file.exists():
        return
    told = json.loads(now.supervisor_file.read_text())
    if not _runs(told["pid"]):
        yield PartStatus("supervisor", PartState.DOWN, "has ended with all that it ran: `make run` restarts it")
        return
    lacking = [part for part in told["parts"] if part["reason"] or part["phase"] not in WORKING]
    runs = f"{len(told['parts']) - len(lacking)} of {len(told['parts'])} parts work"
    yield PartStatus("supervisor", PartState.WARN if lacking else PartState.OK, runs)
    for part in lacking:
        text = part["reason"] or part["phase"]
        failures = f"; failed {part['failures']} times in a row" if part["failures"] > 1 else ""
        state = PartState.DOWN if part["reason"] else PartState.WARN
        yield PartStatus(f"  {part['name']}", state, text + failures, {"failures": part["failures"]})


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def _api(now: Settings) -> Iterable[PartStatus]:
    with httpx.Client(timeout=TIMEOUT_S * 2, transport=TimedTransport()) as client:
        told = client.get(f"{now.api_url}/health/ready").json()
    down = [name for name, state in told["checks"].items() if state != "up"]
    state = {"ready": PartState.OK, "degraded": PartState.WARN}.get(told["status"], PartState.DOWN)
    yield PartStatus("api", state, told["status"] + (f": {', '.join(down)} down" if down else ""), told)


PROBES: Final[dict[str, Probe]] = {
    "supervisor": _supervisor,
    "kafka": kafka,
    "workers": roles,
    "ledger's workers": ledger_workers,
    "postgres": postgres,
    "connect": kafka_connect,
    "elasticsearch": elasticsearch,
    "api": _api,
    "mail": mail,
    "dead letters": dead_letters,
}

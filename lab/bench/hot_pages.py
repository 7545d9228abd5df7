"""The pages that everybody opens: the first one and an event's, by their time and by the bytes of a first visit."""

import re
import time
from collections.abc import Iterator
from typing import Final

import httpx

from lab.bench.latency import percentile
from lab.bench.measurement import Figures, Lab, Measurement
from lab.target import target_of

LOADS: Final = 500
WARM_UP_LOADS: Final = 20
FOUND_TIMEOUT_S: Final = 60.0
_EVENT: Final = re.compile(r'href="(/events/[0-9a-f-]{36})"')
_ASSETS: Final = re.compile(r'"(/static/[^"]+)"')


def hot(lab: Lab) -> Figures:
    """Both pages one after the other, with the demonstration catalogue and no other readers."""
    with lab.stack() as stack:
        with lab.step("starting everything, with the demonstration catalogue"):
            stack.start()
            stack.start("migrations", "administrator", "connectors", *stack.apps, "catalogue")
        api = target_of(stack.environment, stack.settings.mail_port).api
        headers = {"Accept": "text/html", "Accept-Encoding": "gzip"}
        with httpx.Client(base_url=api, headers=headers, trust_env=False) as http:
            pages = {"front": "/", "event": found_event(http)}
            with lab.step("loading the pages"):
                return dict(figure for name, path in pages.items() for figure in _measure(lab, http, name, path))


def found_event(http: httpx.Client) -> str:
    """The path of the first event on the first page, once it lists one. Raises TimeoutError."""
    ends = time.monotonic() + FOUND_TIMEOUT_S
    while time.monotonic() < ends:
        if match := _EVENT.search(http.get("/").text):
            return match[1]
        time.sleep(0.2)
    raise TimeoutError(f"no event on the first page within {FOUND_TIMEOUT_S:.0f} s")


def visit_kb(http: httpx.Client, path: str) -> float:
    """Kilobytes (1,000 bytes) over the wire of a first visit: the page with its styles, scripts and icon."""
    page = http.get(path).raise_for_status()
    answers = [page, *(http.get(each).raise_for_status() for each in sorted(set(_ASSETS.findall(page.text))))]
    return sum(each.num_bytes_downloaded for each in answers) / 1_000


def _measure(lab: Lab, http: httpx.Client, name: str, path: str) -> Iterator[tuple[str, float]]:
    """The figures of one page."""
    seconds = [_load(http, path) for _ in range(WARM_UP_LOADS + lab.count(LOADS))][WARM_UP_LOADS:]
    yield f"pages.{name}_p50_ms", 1000 * percentile(seconds, 50)
    yield f"pages.{name}_p95_ms", 1000 * percentile(seconds, 95)
    yield f"pages.{name}_kb", visit_kb(http, path)


def _load(http: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    http.get(path).raise_for_status()
    return time.perf_counter() - began


MEASUREMENTS: Final = (Measurement("pages.hot", "the first page and an event's page, one load after the other", hot),)

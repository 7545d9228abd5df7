"""What a first visit costs, against answers that are known."""

import httpx
import pytest

from lab.bench import hot_pages
from lab.bench.hot_pages import found_event, visit_kb

EVENT = "/events/9850802c-2915-46db-9a09-a0614911cdd0"
PAGE = (
    f'<link href="/static/1/a.css"><script src="/static/2/b.js"></script><a href="{EVENT}"><img src="/static/1/a.css">'
)


def answer(request: httpx.Request) -> httpx.Response:
    # An iterator, so that its bytes are counted as those of a connection are.
    return httpx.Response(200, content=iter([PAGE.encode() if request.url.path == "/" else b"x" * 500]))


def client(handler: httpx.MockTransport) -> httpx.Client:
    return httpx.Client(base_url="http://pages.test", transport=handler)


def test_a_first_visit_is_the_page_with_each_file_once() -> None:
    with client(httpx.MockTransport(answer)) as http:
        assert visit_kb(http, "/") == (len(PAGE) + 2 * 500) / 1_000
        assert found_event(http) == EVENT


def test_a_first_page_without_events_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_pages, "FOUND_TIMEOUT_S", 0.3)
    with client(httpx.MockTransport(lambda _: httpx.Response(200, text="none"))) as http, pytest.raises(TimeoutError):
        found_event(http)

"""What every page has: its headers, its files, its errors; and that nothing inline is in any template."""

import gzip
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from api.pages import layout, permissions, sign_in
from api.pages.assets import FOLDER, asset_of
from api.problem_kinds import PROBLEMS
from api.problems import Refused, Unavailable
from api.web.security_headers import PAGE, PAGE_POLICY
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import Reader

TEMPLATES = sorted((FOLDER.parent / "templates").glob("*.html"))


@pytest.fixture
def reader(world: World) -> Reader:
    return Reader(world)


@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-up", "/nowhere"])
def test_every_page_is_guarded(reader: Reader, path: str) -> None:
    answer = reader.get(path)
    for name, value in PAGE.items():
        assert answer.headers[name] == value
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.mimetype == "text/html"


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    assert "default-src 'none'" in PAGE_POLICY
    assert not re.search(r"unsafe|\*|http|data:|blob:", PAGE_POLICY)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_anything_that_the_policy_forbids(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=|hx-on|javascript:|hx-vals=.js:", text)
    assert all("src=" in tag for tag in re.findall(r"<script\b[^>]*>", text))
    # That page's policy allows Stripe's script.
    text = text.replace('src="https://js.stripe.com/', 'src="/') if template.name == "card.html" else text
    assert not re.search(r"""(?:src|href|action)=["']https?:""", text)
    assert "|safe" not in text


def test_what_is_typed_is_shown_as_text(reader: Reader) -> None:
    nasty = '"><script>alert(1)</script>'
    for path in ("/sign-in", "/confirm"):
        reader.get(f"{path}?{urlencode({'email': nasty})}")
        assert "<script>alert" not in reader.page
        assert "&lt;script&gt;" in reader.page


def test_a_static_file_is_kept_for_ever_under_the_address_of_its_content(reader: Reader) -> None:
    reader.get("/sign-in")
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', reader.page)
    assert {path.rpartition("/")[2] for path in files} == {"icon.svg", "site.css", "htmx.min.js", "site.js"}
    for path in files:
        answer = reader.client.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.data == asset_of(path.rpartition("/")[2]).content
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        packed = reader.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == answer.data


def test_a_page_from_before_a_deployment_gets_the_new_file_without_keeping_it(reader: Reader) -> None:
    answer = reader.client.get("/static/000000000000/site.css")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["nothing.css", "..", "..%2Flayout.py", "%2e%2e/templates/layout.html"])
def test_only_the_static_files_are_served(reader: Reader, name: str) -> None:
    assert reader.client.get(f"/static/000000000000/{name}").status_code == 404


def test_a_page_is_compressed_where_the_browser_takes_it(reader: Reader) -> None:
    plain = reader.get("/sign-in")
    packed = reader.client.get("/sign-in", headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) < len(plain.data) / 2
    assert b"<h1>Sign in</h1>" in gzip.decompress(packed.data)


def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_programs(reader: Reader) -> None:
    answer = reader.get("/nowhere")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    for path, accept in (("/nowhere", "application/json"), ("/nowhere", "*/*"), ("/api/v3/x", "text/html")):
        answer = reader.client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("SELECT secret FROM account"), 500),
        (Unavailable("postgres", "10.0.0.1 refused"), 503),
        *((Refused(kind, "internal words"), row.status) for kind, row in PROBLEMS.items()),
    ],
    ids=lambda value: getattr(value, "kind", type(value).__name__) if isinstance(value, Exception) else "",
)
def test_every_error_ends_as_a_page_that_tells_nothing_internal(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(sign_in, "_form", fail)
    answer = reader.get("/sign-in")
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "<h1>" in reader.page
    assert not re.search("SELECT|10\\.0\\.0\\.1|internal words|Traceback", reader.page)
    assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
    assert ("Retry-After" in answer.headers) == isinstance(error, Unavailable)


def test_a_page_without_a_row_is_not_served(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {name: row for name, row in permissions.PAGES.items() if name != "signing_in.sign_out"}
    monkeypatch.setattr(permissions, "PAGES", rows)
    with pytest.raises(ValueError, match=r"pages\.signing_in\.sign_out has no row"):
        layout.register_pages(Flask(__name__))

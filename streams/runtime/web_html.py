"""Pages for people: text is escaped, and nothing is loaded or run.

A page's template extends ``worker_page.html``: its blocks are the ``name`` of what the worker runs, and ``tables``.
"""

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from streams.runtime.web import Response, bytes_response
from tables.messages.encoding import from_milliseconds

STYLE: Final = (
    "body{font:16px/1.4 sans-serif;margin:2em auto;max-width:70em;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #bbb;padding:.3em;text-align:left;"
    "overflow-wrap:anywhere}"
)
_STYLE_HASH: Final = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}


def utc_text(at_ms: int) -> str:
    """A time for people, in UTC."""
    return from_milliseconds(at_ms).strftime("%Y-%m-%d %H:%M:%S")


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["utc"] = utc_text


def read_template(path: Path) -> Template:
    """The template in a file."""
    return _environment.from_string(path.read_text())


def html_response(template: Template, **values: Any) -> Response:
    """An answer with a page."""
    body = template.render(style=STYLE, **values).encode()
    return bytes_response(body, content_type="text/html; charset=utf-8", headers=HEADERS)

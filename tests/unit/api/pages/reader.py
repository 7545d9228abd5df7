"""A browser without script: reads pages, follows redirects when told to, fills in forms."""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.roles import Role
from tests.unit.api.fakes.world import World

HTML = {"Accept": "text/html,application/xhtml+xml"}
PASSWORD = "correct horse battery"


@dataclass
class Reader:
    """A browser. ``host`` decides whether it speaks TLS; ``page`` is the text of the open page."""

    world: World
    host: str = "http://localhost"
    client: FlaskClient = field(init=False)
    page: str = ""

    def __post_init__(self) -> None:
        self.client = self.world.app.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        answer = self.client.get(path, headers=HTML | headers, base_url=self.host)
        self.page = answer.get_data(as_text=True)
        return answer

    def send(self, path: str, given: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """Send a form of the page that is open, with its hidden fields."""
        answer = self.client.post(
            path, data=self.hidden(path) | (given or {}), headers=HTML | headers, base_url=self.host
        )
        self.page = answer.get_data(as_text=True)
        return answer

    def hidden(self, path: str) -> dict[str, str]:
        """The hidden fields of the open page's form for that path."""
        forms = re.findall(r"<form\b([^>]*)>(.*?)</form>", self.page, re.DOTALL)
        for opening, inside in forms:
            if unescape(attribute(opening, "action")) == path:
                tags = re.findall(r"<input\b[^>]*\btype=\"hidden\"[^>]*>", inside)
                return {attribute(tag, "name"): unescape(attribute(tag, "value")) for tag in tags}
        return {}

    def sign_in(self, email: str = "ada@lovelace.example") -> TestResponse:
        """Sign in through the form."""
        self.get("/sign-in")
        return self.send("/sign-in", {"email": email, "password": PASSWORD})

    @property
    def cookie(self) -> str | None:
        """The value of the session's cookie."""
        name = "__Host-turnstile" if self.host.startswith("https") else "turnstile"
        found = self.client.get_cookie(name)
        return found.value if found else None


def attribute(tag: str, name: str) -> str:
    """An attribute's value; nothing without it."""
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return found[1] if found else ""


def make_account(world: World, *roles: Role, email: str = "ada@lovelace.example") -> UUID:
    """An account with a password."""
    return world.add_account(*roles, email=email, password=PASSWORD)

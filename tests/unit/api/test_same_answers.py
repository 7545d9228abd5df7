"""What belongs to somebody else is answered as what never was: in words, status, and by asking the same for it."""

import re
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.ports.ports import Ports
from api.schemas.purchase import public_id
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus
from tests.unit.api.fakes.ledger import outcome
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import HTML
from tests.unit.api.pages.test_permissions import ROWS
from tests.unit.api.pages.test_permissions import asking as reading
from tests.unit.api.pages.test_permissions import things as pages_things
from tests.unit.api.web.test_permissions import BASE, OPERATIONS, asking, filled, things

__all__ = ["pages_things", "things"]

NAMED = ("account", "event", "ticket", "purchase")
# What everybody may read of an event that is published.
PUBLIC = (
    "read_event",
    "read_event_name",
    "list_ticket_types",
    "list_ticket_types_at_old_path",
    "read_ticket_type",
)
STRANGERS = ("buyer", "organizer")
WATCHED = (
    "credentials",
    "accounts",
    "events",
    "catalogue",
    "ledger",
    "sales",
    "attendance",
    "stock",
    "notifications",
    "mailer",
    "index",
)


class Asked:
    """A port that keeps what it is asked."""

    def __init__(self, port: Any, calls: list[str]) -> None:
        self._port, self._calls = port, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if callable(found):
            self._calls.append(f"{type(self._port).__name__}.{name}")
        return found


@pytest.fixture
def calls(world: World) -> list[str]:
    """What the ports of the application are asked, in its order."""
    asked: list[str] = []
    ports: Ports = world.app.extensions["turnstile"]
    watched: Any = {name: Asked(getattr(ports, name), asked) for name in WATCHED}
    world.app.extensions["turnstile"] = replace(ports, **watched)
    return asked


def never_was(things: dict[str, str]) -> dict[str, str]:
    """Ids of the same forms that nothing has."""
    event = uuid4()
    named = {"account": str(uuid4()), "event": str(event), "ticket": str(uuid4())}
    return things | named | {"purchase": public_id(event, uuid4())}


def told(answer: Any, named: dict[str, str]) -> tuple[int, str]:
    """The answer without the ids that were asked for, and without what is new in every page."""
    headers = "".join(f"{name}: {value}\n" for name, value in answer.headers.items() if name != "Content-Length")
    text = f"{headers}\n{answer.get_data(as_text=True)}"
    # The longest first: an event's id is a part of its purchases' ids.
    for name in sorted(named.keys() & set(NAMED), key=lambda each: len(named[each]), reverse=True):
        text = text.replace(named[name], name)
    return answer.status_code, re.sub(r'value="[^"]{20,}"', "", text)


def refuse(command: Any) -> Outcome:
    """What the ledger says of a stranger's change: the purchase is not theirs, or there is none."""
    return outcome(command, OutcomeKind.REFUSED, reason=Reason.NOT_YOURS, request=getattr(command, "request", None))


def naming(rows: Any) -> list[str]:
    """Those whose path names something."""
    return [name for name, (_, path, *_) in rows.items() if any(f"{{{each}}}" in path for each in NAMED)]


OF_SOMEBODY = [name for name in naming(OPERATIONS) if name not in PUBLIC]


@pytest.mark.parametrize("role", STRANGERS)
def test_every_operation_on_what_is_not_yours(
    world: World, things: dict[str, str], calls: list[str], role: str
) -> None:
    world.ledger.rule = refuse
    client = asking(world, role, things)
    for operation in OF_SOMEBODY:
        method, path, body, _ = OPERATIONS[operation]
        answers = []
        for named in (things, never_was(things)):
            calls.clear()
            answer = client.open(
                f"{BASE}{path.format(**named)}",
                method=method,
                json=filled(body, named),
                headers={"Idempotency-Key": uuid4().hex},
            )
            answers.append((*told(answer, named), list(calls)))
        assert answers[0] == answers[1], operation
        assert answers[0][0] in (403, 404), operation


def test_the_same_without_a_version_or_with_a_wrong_body(world: World, things: dict[str, str]) -> None:
    client = asking(world, "organizer", things)
    del client.environ_base["HTTP_IF_MATCH"]
    for operation in OF_SOMEBODY:
        method, path, _, _ = OPERATIONS[operation]
        for body in (None, {}, {"nonsense": 1}):
            one, other = (
                told(client.open(f"{BASE}{path.format(**named)}", method=method, json=body), named)
                for named in (things, never_was(things))
            )
            assert one == other, operation


@pytest.mark.parametrize("role", [*STRANGERS, "nobody"])
def test_a_draft_is_as_an_event_that_never_was(
    world: World, things: dict[str, str], calls: list[str], role: str
) -> None:
    hide(world, things["event"])
    client = asking(world, role, things)
    for operation in PUBLIC:
        answers = []
        for named in (things, never_was(things)):
            calls.clear()
            answer = client.get(f"{BASE}{OPERATIONS[operation][1].format(**named)}")
            answers.append((*told(answer, named), list(calls)))
        assert answers[0] == answers[1], operation
        assert answers[0][0] == 404, operation


@pytest.mark.parametrize("role", STRANGERS)
def test_every_page_of_what_is_not_yours(
    world: World, pages_things: dict[str, str], calls: list[str], role: str
) -> None:
    world.ledger.rule = refuse
    hide(world, pages_things["event"])
    reader = reading(world, role, pages_things)
    key = reader.hidden("/sign-out")
    for name in naming(ROWS):
        method, path, form, _ = ROWS[name]
        answers = []
        for named in (pages_things, never_was(pages_things)):
            calls.clear()
            given = {field.format(**named): str(value).format(**named) for field, value in form.items()}
            data = key | given if method == "POST" else None
            answer = reader.client.open(path.format(**named), method=method, data=data, headers=HTML)
            answers.append((*told(answer, named), list(calls)))
        assert answers[0] == answers[1], name


def hide(world: World, event: str) -> None:
    """Take back that the event is published."""
    listing = world.events.rows[UUID(event)]
    draft = listing.event.model_copy(update={"status": EventStatus.DRAFT})
    world.events.rows[UUID(event)] = replace(listing, event=draft)

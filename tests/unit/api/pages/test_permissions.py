"""Every page and every role: nobody sees or does what isn't theirs, and each row is in docs/security.md."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.organizing.changes import new_listing
from api.pages.permissions import PAGES
from api.ports.events import Listing
from api.ports.seating import StoredPlan
from api.roles import Role
from api.schemas.event import NewEvent
from api.schemas.purchase import Purchase, public_id
from tables.mail.links import LinkedPurchase
from tables.messages.commands import Hold
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tables.signing.links import LinkKind
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.ledger import outcome
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import HTML, PASSWORD, Reader, make_account

DOCS = Path(__file__).parents[4] / "docs" / "security.md"
ROLES = ("nobody", "buyer", "organizer", "owner", "administrator")
EVERYBODY = (True,) * 5
SIGNED_IN = (False, True, True, True, True)
OWN = (False, False, False, True, True)
ORGANIZERS = (False, False, True, True, True)
ADMINISTRATORS = (False, False, False, False, True)
ORDER = {"n-{ticket}": 1, "order_key": "k"}

CONCERT = {
    "title": "Winterreise",
    "startsAt": "2030-05-17T20:00",
    "endsAt": "2030-05-17T22:30",
    "timeZone": "Europe/Vienna",
}
REFUND = {"amount": "1", "currency": "EUR", "reason": "goodwill", "order_key": "0" * 32}
STALLS = {"name": "Stalls", "price": "49.90", "currency": "EUR", "quantity": "100"}

# Method, path, form, and which of ROLES get what they ask for. The buyer and the organizer are strangers; the owner
# is an organizer whose purchase and event it is.
ROWS: dict[str, tuple[str, str, dict[str, Any], tuple[bool, ...]]] = {
    "asset": ("GET", "/static/{digest}/site.css", {}, EVERYBODY),
    "box_office.search": ("GET", "/", {}, EVERYBODY),
    "events.event": ("GET", "/events/{event}", {}, EVERYBODY),
    "events.left": ("GET", "/events/{event}/left", {}, EVERYBODY),
    "seats.choose_seats": ("GET", "/events/{hall}/seats", {}, EVERYBODY),
    "seats.change_section": ("POST", "/events/{hall}/seats", {"to": "A"}, EVERYBODY),
    "events.choose": ("GET", "/events/{event}/choose", {}, SIGNED_IN),
    "events.hold": ("POST", "/events/{event}/hold", ORDER, SIGNED_IN),
    "purchases.purchase": ("GET", "/purchases/{purchase}", {}, OWN),
    "purchases.confirm": ("POST", "/purchases/{purchase}/confirm", {}, OWN),
    "purchases.cancel_form": ("GET", "/purchases/{purchase}/cancel", {}, OWN),
    "purchases.cancel": ("POST", "/purchases/{purchase}/cancel", {"all": "1"}, OWN),
    "payments.payment": ("GET", "/purchases/{purchase}/payment", {}, OWN),
    "payments.pay": ("POST", "/purchases/{purchase}/payment", {}, OWN),
    "payments.card": ("GET", "/purchases/{purchase}/card", {}, OWN),
    "purchases.mails": ("GET", "/purchases/{purchase}/mails", {}, OWN),
    "purchases.send_again": ("POST", "/purchases/{purchase}/mails", {}, OWN),
    "purchases.calendar_file": ("GET", "/purchases/{purchase}/event.ics", {}, OWN),
    "links.hold": ("GET", "/links/hold?link={hold_link}", {}, EVERYBODY),
    "links.finish_hold": ("POST", "/links/hold", {"link": "{hold_link}"}, EVERYBODY),
    "links.purchase": ("GET", "/links/purchase?link={purchase_link}", {}, EVERYBODY),
    "links.send_again": ("POST", "/links/purchase", {"link": "{purchase_link}"}, EVERYBODY),
    "account.own_account": ("GET", "/account", {}, SIGNED_IN),
    "account.change_language": ("POST", "/account", {"language": "de"}, SIGNED_IN),
    "account.deletion_form": ("GET", "/account/delete", {}, SIGNED_IN),
    "account.delete_account": ("POST", "/account/delete", {"currentPassword": PASSWORD}, SIGNED_IN),
    "purchases.own_tickets": ("GET", "/tickets", {}, SIGNED_IN),
    "signing_in.sign_in_form": ("GET", "/sign-in", {}, EVERYBODY),
    "signing_in.sign_in": ("POST", "/sign-in", {"email": "ada@owner.example", "password": PASSWORD}, EVERYBODY),
    "signing_in.sign_out": ("POST", "/sign-out", {}, SIGNED_IN),
    "signing_up.sign_up_form": ("GET", "/sign-up", {}, EVERYBODY),
    "signing_up.sign_up": (
        "POST",
        "/sign-up",
        {"firstName": "E", "lastName": "D", "email": "new@buyer.example", "password": PASSWORD},
        EVERYBODY,
    ),
    "signing_up.confirm_address_form": ("GET", "/confirm", {}, EVERYBODY),
    "signing_up.confirm_address": ("POST", "/confirm", {"code": "guess"}, EVERYBODY),
    "confirming.confirm_link_form": ("GET", "/links/confirm?link={confirm_link}", {}, EVERYBODY),
    "confirming.confirm_link": ("POST", "/links/confirm", {"link": "{confirm_link}", "password": PASSWORD}, EVERYBODY),
    "resetting.forgotten_form": ("GET", "/forgotten-password", {}, EVERYBODY),
    "resetting.forgotten": ("POST", "/forgotten-password", {"email": "ada@owner.example"}, EVERYBODY),
    "resetting.new_password_form": ("GET", "/links/reset?link={reset_link}", {}, EVERYBODY),
    "resetting.new_password": ("POST", "/links/reset", {"link": "{reset_link}", "password": PASSWORD}, EVERYBODY),
    "board.show_board": ("GET", "/board", {}, ADMINISTRATORS),
    "board.board_live": ("GET", "/board/live", {}, ADMINISTRATORS),
    "board.show_runbook": ("GET", "/board/runbook", {}, ADMINISTRATORS),
    "board.show_payments": ("GET", "/board/payments", {}, ADMINISTRATORS),
    "topics.show_topics": ("GET", "/topics", {}, EVERYBODY),
    "organizing.own_events": ("GET", "/organize", {}, ORGANIZERS),
    "organizing.own_event": ("GET", "/organize/events/{event}", {}, OWN),
    "organizing.confirm_status": ("GET", "/organize/events/{event}/status/CANCELED", {}, OWN),
    "organizing.change_status": ("POST", "/organize/events/{event}/status/CANCELED", {"version": "{version}"}, OWN),
    "organizing.attendees": ("GET", "/organize/events/{event}/attendees.csv", {}, OWN),
    "organized_payments.payments": ("GET", "/organize/events/{event}/payments", {}, OWN),
    "organized_payments.purchase": ("GET", "/organize/purchases/{purchase}", {}, OWN),
    "organized_payments.order_refund": ("POST", "/organize/purchases/{purchase}/refunds", REFUND, OWN),
    "organized_payments.confirm": ("POST", "/organize/purchases/{purchase}/confirm", {"reference": "bank 1"}, OWN),
    "organizing.payment_list": ("GET", "/organize/events/{event}/payments.csv", {}, OWN),
    "editing.new_event_form": ("GET", "/organize/new", {}, ORGANIZERS),
    "editing.create_event": ("POST", "/organize/new", CONCERT, ORGANIZERS),
    "editing.event_to_edit": ("GET", "/organize/events/{event}/edit", {}, OWN),
    "editing.edit_event": ("POST", "/organize/events/{event}/edit", CONCERT | {"version": "{version}"}, OWN),
    "editing.new_type_form": ("GET", "/organize/events/{event}/types/new", {}, OWN),
    "editing.create_type": ("POST", "/organize/events/{event}/types/new", STALLS | {"version": "{version}"}, OWN),
    "editing.type_to_edit": ("GET", "/organize/events/{event}/types/{ticket}", {}, OWN),
    "editing.edit_type": ("POST", "/organize/events/{event}/types/{ticket}", STALLS | {"version": "{version}"}, OWN),
    "editing.remove_type": ("POST", "/organize/events/{event}/types/{ticket}/remove", {"version": "{version}"}, OWN),
    "hall_plans.show_plan": ("GET", "/organize/events/{hall}/seating", {}, OWN),
    "hall_plans.generate": ("POST", "/organize/events/{hall}/seating/generate", {"version": "1", "name": "B"}, OWN),
    "hall_plans.copy": ("POST", "/organize/events/{event}/seating/copy", {"version": "1", "from": "{event}"}, OWN),
    "hall_plans.upload": ("POST", "/organize/events/{hall}/seating/upload", {"version": "1"}, OWN),
    "hall_plans.draw": ("POST", "/organize/events/{hall}/seating/draw", {"version": "1"}, OWN),
    "hall_plans.remove": ("POST", "/organize/events/{hall}/seating/remove", {"version": "1"}, OWN),
    "hall_plans.download": ("GET", "/organize/events/{hall}/seating.json", {}, OWN),
    "hall_sections.show_section": ("GET", "/organize/events/{hall}/seating/section?section=A", {}, OWN),
    "hall_sections.mark_seats": ("POST", "/organize/events/{hall}/seating/section", {"section": "A"}, OWN),
    "hall_sections.name_section": ("POST", "/organize/events/{hall}/seating/title", {"section": "A"}, OWN),
}


@pytest.fixture
def things(world: World) -> dict[str, str]:
    """What stands in the paths: the owner's. The ledger refuses what strangers ask of it."""
    owner = make_account(world, Role.ORGANIZER, email="ada@owner.example")
    listing = make_event(world, owner)
    event, [ticket] = listing.event, listing.tickets
    hall = make_event(world, owner)
    seats = [{"label": "1", "x": 0, "y": 0}]
    section = {"name": "A", "category": str(hall.tickets[0].id), "rows": [{"label": "1", "seats": seats}]}
    world.seating.plans[hall.event.id] = StoredPlan(1, [section])
    ids = event.id, uuid4()
    world.sales.rows[ids] = Purchase(
        id=public_id(*ids), event_id=ids[0], account_id=owner, status="confirmed", lines=[], decided_at=NOW
    )
    world.payments.hold(*ids, "refunded")
    world.ledger.rule = lambda command: decision(command, owner)
    subject, later = LinkedPurchase(*ids, owner).subject, NOW + timedelta(days=1)
    return {
        "digest": "0" * 12,
        "owner": str(owner),
        "event": str(event.id),
        "hall": str(hall.event.id),
        "ticket": str(ticket.id),
        "version": str(event.version),
        "purchase": public_id(*ids),
        "hold_link": world.links.sign(LinkKind.FINISH_HOLD, subject, later),
        "purchase_link": world.links.sign(LinkKind.SEE_PURCHASE, subject, later),
    }


def mailed_links(world: World, path: str, form: dict[str, Any]) -> dict[str, str]:
    """Those of the links that come by mail which the path or the form names."""
    mailed = {"confirm_link": confirmation, "reset_link": reset}
    return {name: ask(world) for name, ask in mailed.items() if f"{{{name}}}" in f"{path}{form}"}


def reset(world: World) -> str:
    """The link to a new password for the owner."""
    body = {"email": "ada@owner.example"}
    assert world.app.test_client().post("/api/v3/password-resets", json=body).status_code == 202
    return world.mailer.mails[-1][1].text.partition("&link=")[2].split()[0]


def confirmation(world: World) -> str:
    """The link of a sign-up, which is anybody's who can read the mail."""
    body = {"firstName": "E", "lastName": "D", "email": "linked@buyer.example", "password": PASSWORD}
    assert world.app.test_client().post("/api/v3/accounts", json=body).status_code == 202
    return world.mailer.mails[-1][1].text.partition("&link=")[2].split()[0]


def decision(command: Any, owner: UUID) -> Outcome:
    """What the ledger says: a hold is anybody's to make, a change the owner's."""
    request = getattr(command, "request", None)
    if not isinstance(command, Hold) and command.account != owner:
        return outcome(command, OutcomeKind.REFUSED, reason=Reason.NOT_YOURS, request=request)
    return outcome(command, OutcomeKind.HELD, request=request)


def make_event(world: World, owner: UUID) -> Listing:
    """A published event of theirs, with one ticket type."""
    price = {"amount": "49.90", "currency": "EUR"}
    body = NewEvent.model_validate(
        {
            "title": "Winterreise",
            "startsAt": "2030-05-17T20:00:00+02:00",
            "endsAt": "2030-05-17T22:30:00+02:00",
            "timeZone": "Europe/Vienna",
            "status": "ACTIVE",
            "ticketTypes": [{"name": "Stalls", "price": price, "quantity": 100}],
        }
    )
    listing = new_listing(body, owner, uuid4, NOW)
    world.events.add(listing)
    return listing


def asking(world: World, role: str, things: dict[str, str]) -> Reader:
    """A reader of that role with a form's key at hand."""
    reader = Reader(world)
    known = {
        "buyer": (),
        "organizer": (Role.ORGANIZER,),
        "owner": (Role.ORGANIZER,),
        "administrator": (Role.ADMINISTRATOR,),
    }
    if (roles := known.get(role)) is not None:
        is_owner = role == "owner"
        account = UUID(things["owner"]) if is_owner else make_account(world, *roles, email=f"{role}@stranger.example")
        token, _ = world.tokens.issue(account, frozenset({Role.BUYER, *roles}))
        reader.client.set_cookie("turnstile", token)
        reader.get("/nowhere")
    else:
        reader.get("/sign-in")
    return reader


def cases() -> list[Any]:
    return [
        pytest.param(method, path, form, role, granted, id=f"{name}-{role}")
        for name, (method, path, form, answers) in ROWS.items()
        for role, granted in zip(ROLES, answers, strict=True)
    ]


@pytest.mark.parametrize(("method", "path", "form", "role", "granted"), cases())
def test_every_page_answers_every_role_as_the_table_says(
    world: World, things: dict[str, str], method: str, path: str, form: dict[str, Any], role: str, granted: bool
) -> None:
    reader = asking(world, role, things)
    named = things | mailed_links(world, path, form)
    filled = {name.format(**named): str(value).format(**named) for name, value in form.items()}
    key = reader.hidden("/sign-in" if role == "nobody" else "/sign-out")
    data = key | filled if method == "POST" else None
    is_file = path.endswith(("/upload", "/draw"))
    answer = reader.client.open(
        path.format(**named),
        method=method,
        data=data,
        headers=HTML,
        content_type="multipart/form-data" if is_file else None,
    )
    led_away = answer.headers.get("Location", "").startswith("/sign-in?next=")
    assert (answer.status_code not in (401, 403, 404) and not led_away) is granted
    assert answer.status_code < 500


def test_no_page_is_left_out() -> None:
    assert set(ROWS) == set(PAGES)


def test_the_page_on_security_lists_every_page_with_its_roles() -> None:
    section = DOCS.read_text().split("## Every page and every role")[1].split("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("| `")] == [row(name) for name in ROWS]


def row(name: str) -> str:
    method, path, _, answers = ROWS[name]
    marks = " | ".join("yes" if granted else "–" for granted in answers)
    return f"| `{method} {path}` | {marks} | `{name}` |"

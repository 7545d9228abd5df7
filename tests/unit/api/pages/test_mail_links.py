"""Links in mails: without signing in they show what they were signed for, and a button does it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from api.pages.refusal_texts import refusal_text
from tables.mail.links import PATHS, LinkedPurchase
from tables.messages.commands import Confirm
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from tables.signing.links import LinkKind
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.ledger import outcome
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.conftest import ticket
from tests.unit.api.pages.ledger import Ledger
from tests.unit.api.pages.reader import Reader, make_account

HOLD, PURCHASE = PATHS[LinkKind.FINISH_HOLD], PATHS[LinkKind.SEE_PURCHASE]
LATER = NOW + timedelta(minutes=10)

Link = Callable[..., str]


@pytest.fixture
def owner(reader: Reader, world: World) -> UUID:
    """Ada's account."""
    [account] = [row.id for row in world.accounts.rows.values() if row.email == "ada@buyer.example"]
    return account


@pytest.fixture
def linked(reader: Reader, ledger: Ledger, on_sale: dict[str, Any], owner: UUID) -> LinkedPurchase:
    """Her hold of three tickets."""
    reader.get(f"/events/{on_sale['id']}")
    reader.send(f"/events/{on_sale['id']}/hold", {f"n-{ticket(on_sale)}": 3})
    [purchase] = ledger.made
    return LinkedPurchase(UUID(on_sale["id"]), purchase, owner)


@pytest.fixture
def link(world: World, linked: LinkedPurchase) -> Link:
    """Makes the text of a link to it."""

    def make(kind: LinkKind, **more: Any) -> str:
        return world.links.sign(kind, linked._replace(**more).subject, LATER)

    return make


@pytest.fixture
def hold(link: Link) -> str:
    """The address that confirms the hold."""
    return f"{HOLD}?{urlencode({'link': link(LinkKind.FINISH_HOLD)})}"


@pytest.fixture
def purchase(link: Link) -> str:
    """The address that shows the purchase."""
    return f"{PURCHASE}?{urlencode({'link': link(LinkKind.SEE_PURCHASE)})}"


@pytest.fixture
def stranger(world: World) -> Reader:
    """A browser in which nobody is signed in."""
    return Reader(world)


def confirm(stranger: Reader, hold: str) -> None:
    stranger.get(hold)
    stranger.get(stranger.send(HOLD).headers["Location"])


def test_a_link_confirms_a_hold_by_a_button_and_not_by_being_opened(stranger: Reader, hold: str) -> None:
    for method in ("GET", "HEAD"):
        assert stranger.client.open(hold, method=method).status_code == 200
    assert not [command for command in stranger.world.ledger.handed_in if isinstance(command, Confirm)]
    stranger.get(hold)
    assert "Buy 3 tickets · €149.70" in stranger.page
    answer = stranger.send(HOLD)
    assert answer.headers["Location"].startswith(f"{hold}&since=")
    stranger.get(answer.headers["Location"])
    assert "<h1>Your tickets</h1>" in stranger.page
    assert "The tickets are yours" in stranger.page
    assert stranger.get("/tickets").status_code == 303


def test_confirming_by_a_link_shows_no_ticket(stranger: Reader, linked: LinkedPurchase, hold: str) -> None:
    confirm(stranger, hold)
    [line] = stranger.world.sales.rows[linked.event, linked.purchase].lines or []
    assert len(line.codes) == 3
    assert not any(code in stranger.page for code in line.codes)
    assert 'class="qr"' not in stranger.page


def test_confirming_by_the_link_and_by_the_purchases_own_page_is_confirming_once(
    reader: Reader, stranger: Reader, linked: LinkedPurchase, hold: str
) -> None:
    own = f"/purchases/{linked.event}.{linked.purchase}"
    reader.get(own)
    stranger.get(hold)
    for browser, form in ((reader, f"{own}/confirm"), (stranger, HOLD)):
        assert browser.send(form).status_code == 303
    requests = [command.request for command in stranger.world.ledger.handed_in if isinstance(command, Confirm)]
    assert len(requests) == 2
    assert len(set(requests)) == 1


def test_a_confirmation_under_way_is_waited_for_by_the_same_link(
    stranger: Reader, ledger: Ledger, linked: LinkedPurchase, hold: str
) -> None:
    ledger.records = False
    confirm(stranger, hold)
    assert "Your order is being processed" in stranger.page
    ledger.record(linked.event, linked.purchase)
    stranger.get(hold)
    assert "The tickets are yours" in stranger.page


def test_a_link_shows_this_purchase_with_its_tickets_to_who_has_it(
    stranger: Reader, linked: LinkedPurchase, hold: str, purchase: str
) -> None:
    confirm(stranger, hold)
    stranger.get(purchase)
    [line] = stranger.world.sales.rows[linked.event, linked.purchase].lines or []
    assert all(code in stranger.page for code in line.codes)
    assert stranger.page.count('class="qr"') == 3
    assert "/confirm" not in stranger.page
    assert "/cancel" not in stranger.page
    for path in ("/tickets", f"/purchases/{linked.event}.{linked.purchase}"):
        assert stranger.get(path).headers["Location"].startswith("/sign-in?next=")


def test_more_tickets_than_a_sheet_are_seen_by_the_same_link(
    reader: Reader, ledger: Ledger, on_sale: dict[str, Any], owner: UUID, stranger: Reader
) -> None:
    reader.get(f"/events/{on_sale['id']}")
    answer = reader.send(f"/events/{on_sale['id']}/hold", {f"n-{ticket(on_sale)}": 30})
    path = answer.headers["Location"].partition("?")[0]
    reader.get(path)
    reader.send(f"{path}/confirm")
    [made] = ledger.made
    subject = LinkedPurchase(UUID(on_sale["id"]), made, owner).subject
    address = f"{PURCHASE}?link={stranger.world.links.sign(LinkKind.SEE_PURCHASE, subject, LATER)}"
    stranger.get(address)
    assert f'href="{address}&amp;sheet=2"' in stranger.page
    stranger.get(f"{address}&sheet=3")
    assert stranger.page.count('class="qr"') == 6


def test_a_hold_that_is_only_to_be_seen_cannot_be_bought_there(stranger: Reader, purchase: str, link: Link) -> None:
    stranger.get(purchase)
    assert "<h1>Held for you</h1>" in stranger.page
    assert f'action="{HOLD}"' not in stranger.page
    stolen = stranger.hidden(PURCHASE) | {"link": link(LinkKind.SEE_PURCHASE)}
    assert stranger.client.post(HOLD, data=stolen).status_code == 404
    assert not [command for command in stranger.world.ledger.handed_in if isinstance(command, Confirm)]


def test_the_mail_is_sent_again_to_its_owner_a_few_times(stranger: Reader, owner: UUID, purchase: str) -> None:
    for _ in range(3):
        stranger.get(purchase)
        stranger.get(stranger.send(PURCHASE).headers["Location"])
        assert "We are sending you another e-mail" in stranger.page
    assert {account for _, account in stranger.world.notifications.asked} == {owner}
    stranger.get(stranger.send(PURCHASE).headers["Location"])
    assert refusal_text("too-many-requests") in stranger.page
    assert len(stranger.world.notifications.asked) == 3


@pytest.mark.parametrize("status", ["expired", "cancelled", "refunded", "rejected"])
def test_what_is_over_says_so_and_offers_only_the_event(
    stranger: Reader, linked: LinkedPurchase, hold: str, purchase: str, status: str
) -> None:
    rows = stranger.world.sales.rows
    known = rows[linked.event, linked.purchase]
    rows[linked.event, linked.purchase] = known.model_copy(update={"status": status, "reason": "sold-out"})
    for address in (hold, purchase):
        stranger.get(address)
        assert f'<a class="button" href="/events/{linked.event}">View event</a>' in stranger.page
        assert f'action="{address.partition("?")[0]}"' not in stranger.page


def test_a_hold_that_ended_meanwhile_is_told(stranger: Reader, hold: str) -> None:
    stranger.get(hold)
    stranger.world.ledger.rule = lambda command: outcome(
        command, OutcomeKind.REFUSED, reason=Reason.NOT_HELD, request=command.request
    )
    stranger.get(stranger.send(HOLD).headers["Location"])
    assert refusal_text("not-held") in stranger.page


def test_a_confirmation_that_nobody_knows_of_may_be_sent_again(stranger: Reader, hold: str) -> None:
    stranger.get(hold)
    stranger.world.ledger.down = True
    stranger.get(stranger.send(HOLD).headers["Location"])
    assert refusal_text("unavailable") in stranger.page
    assert "Buy 3 tickets" in stranger.page


@pytest.mark.parametrize(
    ("kind", "path", "said", "goes_to"),
    [
        (LinkKind.FINISH_HOLD, HOLD, "This hold has ended", "/events/{event}"),
        (LinkKind.SEE_PURCHASE, PURCHASE, "This link has expired", "/purchases/{event}.{purchase}"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_has_expired_does_nothing_and_says_where_to_go(
    stranger: Reader, linked: LinkedPurchase, kind: LinkKind, path: str, said: str, goes_to: str, method: str
) -> None:
    text = stranger.world.links.sign(kind, linked.subject, NOW)
    stranger.get("/sign-in")
    form = stranger.hidden("/sign-in") | {"link": text} if method == "POST" else None
    before = len(stranger.world.ledger.handed_in)
    answer = stranger.client.open(path, method=method, data=form, query_string={} if form else {"link": text})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 410
    assert f"<h1>{said}</h1>" in page
    assert f'href="{goes_to.format(**linked._asdict())}"' in page
    assert len(stranger.world.ledger.handed_in) == before
    assert not stranger.world.notifications.asked


@pytest.mark.parametrize("path", [HOLD, PURCHASE])
def test_what_is_no_link_is_told_and_not_tried_for_ever(stranger: Reader, hold: str, purchase: str, path: str) -> None:
    good = {HOLD: hold, PURCHASE: purchase}[path]
    for text in ("", "x.y", f"{good.partition('=')[2]}x", good.partition("=")[2][:-1]):
        answer = stranger.get(f"{path}?{urlencode({'link': text})}")
        assert answer.status_code == 404
        assert "<h1>This link is incomplete</h1>" in stranger.page
    assert stranger.get(f"{path}?link=guess").status_code == 429
    assert stranger.get(good).status_code == 200


def test_the_link_of_one_kind_or_account_opens_nothing_else(stranger: Reader, link: Link) -> None:
    for path, kind in ((HOLD, LinkKind.SEE_PURCHASE), (PURCHASE, LinkKind.FINISH_HOLD)):
        assert stranger.get(f"{path}?link={link(kind)}").status_code == 404
    other = make_account(stranger.world, email="eve@buyer.example")
    for more in ({"account": other}, {"purchase": uuid4()}, {"event": uuid4()}):
        assert stranger.get(f"{PURCHASE}?link={link(LinkKind.SEE_PURCHASE, **more)}").status_code == 404
        assert "Page not found" in stranger.page


def test_a_link_ends_with_its_account(
    stranger: Reader, world: World, linked: LinkedPurchase, hold: str, purchase: str
) -> None:
    stranger.get(hold)
    del world.accounts.rows[linked.account]
    before = len(world.ledger.handed_in)
    for answer in (stranger.send(HOLD), stranger.get(hold), stranger.get(purchase)):
        assert answer.status_code == 422
        assert refusal_text("unknown-account") in answer.get_data(as_text=True)
    assert len(world.ledger.handed_in) == before


def test_nobody_learns_the_address_of_such_a_page(stranger: Reader, hold: str, purchase: str) -> None:
    stranger.get(hold)
    answers = [stranger.get(hold), stranger.send(HOLD), stranger.get(purchase), stranger.get(f"{HOLD}?link=x")]
    answers.append(stranger.client.post(PURCHASE, data={"link": "x"}))
    assert [answer.status_code for answer in answers] == [200, 303, 200, 404, 403]
    for answer in answers:
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "null"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
    ],
)
def test_a_form_of_a_page_without_a_referrer_comes_from_nowhere(
    stranger: Reader, hold: str, headers: dict[str, str], status: int
) -> None:
    stranger.get(hold)
    assert stranger.send(HOLD, {}, **headers).status_code == status
    assert stranger.client.post(HOLD, data={"link": "x"}, headers=headers).status_code == 403

"""A purchase's page: waiting, held, the tickets, cancelling; and that nobody sees another's."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from icalendar import Calendar

from api.pages.purchase_status import READING_MAX_S, up_to_date
from api.pages.refusal_texts import REFUSAL_TEXTS, refusal_text
from api.problem_kinds import REFUSALS
from api.schemas.fields import Money
from api.schemas.notification import Notification
from api.schemas.purchase import Payment, Purchase, pending, public_id
from tables.messages.commands import Cancel, Confirm
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from tables.signing.tickets import Ticket, read_ticket
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.ledger import outcome
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.conftest import ticket
from tests.unit.api.pages.ledger import Ledger
from tests.unit.api.pages.reader import Reader, make_account
from translations.holder_texts import moved_text, postponed_text, returned_text


@pytest.fixture
def held(reader: Reader, ledger: Ledger, on_sale: dict[str, Any]) -> str:
    """The path of a hold of three tickets, whose page is open."""
    reader.get(f"/events/{on_sale['id']}")
    answer = reader.send(f"/events/{on_sale['id']}/hold", {f"n-{ticket(on_sale)}": 3})
    reader.get(answer.headers["Location"])
    return str(answer.headers["Location"].partition("?")[0])


@pytest.fixture
def bought(reader: Reader, held: str) -> str:
    """The same once it is bought."""
    answer = reader.send(f"{held}/confirm")
    reader.get(answer.headers["Location"])
    return held


def ids(path: str) -> tuple[UUID, UUID]:
    event, _, purchase = path.rpartition("/")[2].partition(".")
    return UUID(event), UUID(purchase)


def test_a_hold_shows_the_time_that_is_left_and_what_it_costs(reader: Reader, held: str) -> None:
    assert 'data-countdown="600"' in reader.page
    assert ">10:00</strong>" in reader.page
    assert "Buy 3 tickets · €149.70" in reader.page
    assert '<noscript><meta http-equiv="refresh" content="602">' in reader.page


def test_what_must_be_paid_shows_what_is_due_and_cannot_be_confirmed_by_its_buyer(reader: Reader, held: str) -> None:
    rows = reader.world.sales.rows
    due = Payment(due=Money.of(Decimal("149.70"), "EUR"), deadline=rows[ids(held)].deadline)
    rows[ids(held)] = rows[ids(held)].model_copy(update={"payment": due})
    reader.get(held)
    assert "To pay: €149.70." in reader.page
    assert "Buy 3 tickets" not in reader.page
    assert ">Release</button>" in reader.page


def test_a_page_with_tickets_is_kept_nowhere(reader: Reader, bought: str) -> None:
    for path in (bought, "/tickets", f"{bought}/event.ics", f"{bought}/cancel", f"{bought}/mails"):
        assert reader.get(path).headers["Cache-Control"] == "private, no-store"


def test_confirming_brings_the_tickets_with_codes_that_a_gate_reads(reader: Reader, bought: str) -> None:
    assert "<h1>Your tickets</h1>" in reader.page
    assert reader.page.count('class="qr"') == 3
    signer = reader.world.app.extensions["turnstile"].signer
    for code in reader.world.sales.rows[ids(bought)].lines[0].codes:  # type: ignore[index]
        assert code in reader.page
        assert read_ticket(signer.sign(Ticket(ids(bought)[0], code)), signer.public_key).code == code


def test_many_tickets_come_in_sheets(reader: Reader, ledger: Ledger, on_sale: dict[str, Any]) -> None:
    reader.get(f"/events/{on_sale['id']}")
    answer = reader.send(f"/events/{on_sale['id']}/hold", {f"n-{ticket(on_sale)}": 30})
    path = answer.headers["Location"].partition("?")[0]
    reader.get(path)
    reader.get(reader.send(f"{path}/confirm").headers["Location"])
    counts = []
    for sheet in (1, 2, 3, 4):
        reader.get(f"{path}?sheet={sheet}")
        counts.append(reader.page.count('class="qr"'))
    assert counts == [12, 12, 6, 6]
    for nonsense in ("0", "-3", "x", "9" * 30):
        assert reader.get(f"{path}?sheet={nonsense}").status_code == 200


def test_confirming_twice_is_confirming_once(reader: Reader, held: str) -> None:
    form = reader.hidden(f"{held}/confirm")
    for _ in range(2):
        assert reader.client.post(f"{held}/confirm", data=form).status_code == 303
    requests = {command.request for command in reader.world.ledger.handed_in if isinstance(command, Confirm)}
    assert len(requests) == 1


def test_the_page_is_never_older_than_what_its_reader_was_told(reader: Reader, ledger: Ledger, held: str) -> None:
    ledger.records = False
    answer = reader.send(f"{held}/confirm")
    reader.get(answer.headers["Location"])
    assert "Your order is being processed" in reader.page
    ledger.record(*ids(held))
    reader.get(answer.headers["Location"])
    assert "<h1>Your tickets</h1>" in reader.page


def test_a_moment_in_the_address_is_not_waited_for_for_ever(reader: Reader, held: str) -> None:
    known = reader.world.sales.rows[ids(held)]
    reader.world.sales.rows[ids(held)] = known.model_copy(update={"decided_at": NOW - timedelta(hours=1)})
    lately, long_ago = (int(NOW.timestamp() * 1000) - ms for ms in (59_000, 61_000))
    reader.get(f"{held}?since={lately}")
    assert "Your order is being processed" in reader.page
    for since in (long_ago, "x", "-1", "", "²", "9" * 20):
        reader.get(f"{held}?since={since}")
        assert "Held for you" in reader.page


def test_a_purchase_that_is_not_there_is_waited_for_only_by_whoever_was_sent(reader: Reader, held: str) -> None:
    path = f"/purchases/{uuid4()}.{uuid4()}"
    assert reader.get(path).status_code == 404
    assert reader.get(f"{path}?since={int(NOW.timestamp() * 1000)}").status_code == 200
    assert reader.get("/purchases/x").status_code == 404


def test_a_page_begins_no_further_read_once_its_time_is_up(world: World, on_sale: dict[str, Any]) -> None:
    times = iter((0.0, READING_MAX_S - 0.1, READING_MAX_S))
    reads = []

    def read() -> Purchase:
        reads.append(1)
        return pending(UUID(on_sale["id"]), uuid4(), uuid4())

    with world.app.test_request_context("/"):
        assert up_to_date(read, lambda: next(times)) is None
    assert len(reads) == 2


@pytest.mark.parametrize("written", [str.upper, lambda path: f"{path}/", lambda path: f"{path.upper()}/"])
def test_a_purchase_is_found_however_its_address_is_written(
    reader: Reader, bought: str, written: Callable[[str], str]
) -> None:
    public = bought.rpartition("/")[2]
    assert reader.get(f"/purchases/{written(public)}").status_code == 200
    assert "<h1>Your tickets</h1>" in reader.page
    [account] = [row.id for row in reader.world.accounts.rows.values() if row.email == "ada@buyer.example"]
    answer = reader.world.client(account).get(f"/api/v3/purchases/{written(public)}")
    assert (answer.status_code, answer.get_json()["id"]) == (200, public)


@pytest.mark.parametrize("path", ["/tickets/", "/account/", "/sign-in/"])
def test_a_slash_at_the_end_changes_no_page(reader: Reader, path: str) -> None:
    assert [reader.get(each).status_code for each in (path, path[:-1])] in ([200, 200], [303, 303])
    reader.get("/tickets/")
    assert '<a href="/tickets" aria-current="page">' in reader.page


def test_what_a_purchase_costs_has_the_decimals_of_its_prices(reader: Reader, held: str) -> None:
    known = reader.world.sales.rows[ids(held)]
    price, total = (Money(amount=amount, currency="RSD") for amount in ("149.50", "448.50"))
    lines = [line.model_copy(update={"price": price}) for line in known.lines or []]
    reader.world.sales.rows[ids(held)] = known.model_copy(update={"lines": lines, "total": total})
    reader.get(held)
    assert "RSD\u00a0149.50 each" in reader.page
    assert reader.page.count("RSD\u00a0448.50") == 3


def test_a_hold_whose_row_has_no_deadline_can_be_bought(reader: Reader, held: str) -> None:
    """As a former version wrote it, once a part of it was given back."""
    reader.world.sales.rows[ids(held)] = reader.world.sales.rows[ids(held)].model_copy(update={"deadline": None})
    assert reader.get(held).status_code == 200
    assert "Buy 3 tickets · €149.70" in reader.page


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_rejected_purchase_tells_why(reader: Reader, held: str, reason: Reason) -> None:
    known = reader.world.sales.rows[ids(held)]
    changed = known.model_copy(update={"status": "rejected", "reason": reason, "lines": [], "total": None})
    reader.world.sales.rows[ids(held)] = changed
    reader.get(held)
    assert "<h1>Nothing was ordered</h1>" in reader.page
    assert refusal_text(reason if reason in REFUSAL_TEXTS else REFUSALS[reason]) in reader.page


@pytest.mark.parametrize("status", ["expired", "cancelled", "refunded"])
def test_what_ended_says_so_and_offers_nothing_to_press(reader: Reader, held: str, status: str) -> None:
    reader.world.sales.rows[ids(held)] = reader.world.sales.rows[ids(held)].model_copy(update={"status": status})
    reader.get(held)
    assert "/confirm" not in reader.page
    assert "/cancel" not in reader.page


def test_a_hold_that_is_over_cannot_be_bought(reader: Reader, held: str) -> None:
    reader.world.ledger.rule = lambda command: outcome(
        command, OutcomeKind.REFUSED, reason=Reason.NOT_HELD, request=command.request
    )
    answer = reader.send(f"{held}/confirm")
    assert answer.headers["Location"] == f"{held}?refused=not-held"
    reader.get(answer.headers["Location"])
    assert refusal_text("not-held") in reader.page


def test_a_confirmation_that_nobody_knows_of_may_be_sent_again(reader: Reader, held: str) -> None:
    reader.world.ledger.down = True
    answer = reader.send(f"{held}/confirm")
    assert answer.headers["Location"].startswith(f"{held}?refused=unavailable")


def test_the_chosen_seats_stay_chosen_where_nobody_knows_whether_they_were_given_back(
    reader: Reader, bought: str
) -> None:
    reader.get(f"{bought}/cancel")
    form = reader.hidden(f"{bought}/cancel") | {"seat": ["A-1-1", "Ä-1-2"]}
    reader.world.ledger.down = True
    answer = reader.client.post(f"{bought}/cancel", data=form)
    again = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (again["refused"], again["seat"]) == (["unavailable"], ["A-1-1", "Ä-1-2"])


def test_all_is_given_back_at_once(reader: Reader, bought: str) -> None:
    reader.get(f"{bought}/cancel")
    form = reader.hidden(f"{bought}/cancel") | {"all": "1"}
    answers = [reader.client.post(f"{bought}/cancel", data=form) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    reader.get(answers[0].headers["Location"])
    assert "<h1>Returned</h1>" in reader.page


def test_some_are_given_back_and_once_only(reader: Reader, bought: str, on_sale: dict[str, Any]) -> None:
    reader.get(f"{bought}/cancel")
    form = reader.hidden(f"{bought}/cancel") | {f"n-{ticket(on_sale)}": "1"}
    for _ in range(2):
        assert reader.client.post(f"{bought}/cancel", data=form).status_code == 303
    cancels = [command for command in reader.world.ledger.handed_in if isinstance(command, Cancel)]
    assert len({command.request for command in cancels}) == 1
    assert [(line.ticket_type, line.quantity) for line in cancels[0].lines] == [(ticket(on_sale), 1)]


def test_tickets_given_back_in_part_are_told_alike_everywhere(
    reader: Reader, bought: str, on_sale: dict[str, Any]
) -> None:
    said = returned_text("en", 1, 2)
    assert said == "1 of 3 tickets returned"
    reader.get(f"{bought}/cancel")
    reader.get(reader.send(f"{bought}/cancel", {f"n-{ticket(on_sale)}": "1"}).headers["Location"])
    assert f'<p class="notice warn" role="status">{said}</p>' in reader.page
    reader.get("/tickets")
    assert f">{said}</p>" in reader.page
    [entry] = Calendar.from_ical(reader.get(f"{bought}/event.ics").get_data()).walk("VEVENT")
    assert entry["description"] == f"{said}."
    [account] = [row.id for row in reader.world.accounts.rows.values() if row.email == "ada@buyer.example"]
    told = reader.world.client(account).get(f"/api/v3{bought}").get_json()
    assert (told["status"], told["returned"], told["lines"][0]["quantity"]) == ("confirmed", 1, 2)


def test_giving_nothing_back_is_told(reader: Reader, bought: str) -> None:
    reader.get(f"{bought}/cancel")
    answer = reader.send(f"{bought}/cancel", {})
    reader.get(answer.headers["Location"])
    assert "choose at least one" in reader.page


def test_where_nobody_knows_what_was_given_back_the_next_try_is_the_same_one(
    reader: Reader, bought: str, on_sale: dict[str, Any]
) -> None:
    reader.get(f"{bought}/cancel")
    key = reader.hidden(f"{bought}/cancel")["order_key"]
    reader.world.ledger.down = True
    answer = reader.send(f"{bought}/cancel", {f"n-{ticket(on_sale)}": "2"})
    reader.get(answer.headers["Location"])
    assert reader.hidden(f"{bought}/cancel")["order_key"] == key
    assert 'value="2"' in reader.page


def test_the_mail_is_looked_out_for_and_told(reader: Reader, bought: str) -> None:
    assert "We are sending you an e-mail" in reader.page
    assert f'hx-get="{bought}/mails"' in reader.page
    mail = Notification(id=uuid4(), kind="confirmed", status="sent", at=NOW)
    reader.world.notifications.rows[ids(bought)] = [mail]
    reader.get(f"{bought}/mails")
    assert "E-mail sent" in reader.page
    assert "hx-get" not in reader.page


def test_the_mail_is_sent_again_a_few_times(reader: Reader, bought: str) -> None:
    for _ in range(3):
        assert reader.send(f"{bought}/mails").headers["Location"] == bought
        reader.get(bought)
        assert "We are sending you another e-mail" in reader.page
    reader.get(reader.send(f"{bought}/mails").headers["Location"])
    assert "Too many tries" in reader.page


def test_the_calendar_file_is_the_event_and_nobody_elses_header(
    reader: Reader, client: Any, bought: str, on_sale: dict[str, Any]
) -> None:
    title = "Winter\r\nBEGIN:VALARM\r\nX: reise"
    assert client.patch(f"/api/v3/events/{on_sale['id']}", json={"title": title}).status_code == 200
    answer = reader.get(f"{bought}/event.ics")
    assert answer.mimetype == "text/calendar"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="event.ics"'
    read: Any = Calendar.from_ical(answer.data)
    [entry] = read.walk("VEVENT")
    assert entry["uid"] == f"{bought.rpartition('/')[2]}@turnstile.example"
    assert (entry["location"], entry["status"]) == ("Musikverein, Wien", "CONFIRMED")
    assert not read.walk("VALARM")


def test_only_what_was_bought_has_a_calendar_file(reader: Reader, held: str) -> None:
    assert reader.get(f"{held}/event.ics").status_code == 404


@pytest.mark.parametrize("what", ["", "/cancel", "/mails", "/event.ics"])
def test_somebody_elses_purchase_is_not_there(world: World, bought: str, what: str) -> None:
    make_account(world, email="eve@buyer.example")
    eve = Reader(world)
    eve.sign_in("eve@buyer.example")
    assert eve.get(f"{bought}{what}").status_code == 404


def test_my_tickets_are_mine_with_what_became_of_them(reader: Reader, world: World, bought: str) -> None:
    stranger = uuid4()
    other = (ids(bought)[0], uuid4())
    world.sales.rows[other] = Purchase(
        id=public_id(*other), event_id=other[0], account_id=stranger, status="confirmed", lines=[]
    )
    reader.get("/tickets")
    assert bought in reader.page
    assert public_id(*other) not in reader.page
    for said in ("Winterreise", "3 tickets", "€149.70", "Bought"):
        assert said in reader.page


def test_an_answer_that_came_after_one_left_is_under_my_tickets(
    reader: Reader, ledger: Ledger, on_sale: dict[str, Any]
) -> None:
    ledger.records = False
    reader.get(f"/events/{on_sale['id']}")
    reader.send(f"/events/{on_sale['id']}/hold", {f"n-{ticket(on_sale)}": 1})
    reader.get("/tickets")
    assert "No tickets yet" in reader.page
    [purchase] = ledger.made
    ledger.record(UUID(on_sale["id"]), purchase)
    reader.get("/tickets")
    assert "Held for you" in reader.page


def test_an_event_that_is_gone_breaks_no_page(reader: Reader, world: World, bought: str) -> None:
    del world.events.rows[ids(bought)[0]]
    for path in (bought, "/tickets", f"{bought}/cancel"):
        assert reader.get(path).status_code == 200
        assert "Event no longer available" in reader.page
    assert reader.get(f"{bought}/event.ics").status_code == 404


def test_without_anything_bought_the_way_leads_to_the_box_office(reader: Reader) -> None:
    reader.get("/tickets")
    assert "No tickets yet" in reader.page


@pytest.mark.parametrize(
    ("status", "reason", "said", "listed"),
    [
        ("expired", None, "The time to buy these tickets has passed", "Hold expired"),
        ("expired", "hold-ended", "The box office has ended this hold", "Hold ended"),
        ("expired", "event-canceled", "will not take place, so your hold has ended", "Event cancelled"),
        ("refunded", "event-canceled", "What you paid is refunded", "Event cancelled, refunded"),
    ],
)
def test_the_end_of_a_purchase_is_told_by_what_ended_it(
    reader: Reader, held: str, status: str, reason: str | None, said: str, listed: str
) -> None:
    rows = reader.world.sales.rows
    rows[ids(held)] = rows[ids(held)].model_copy(update={"status": status, "reason": reason})
    reader.get(held)
    assert said in reader.page
    reader.get("/tickets")
    assert f">{listed}</p>" in reader.page


def test_the_holder_of_tickets_is_told_that_the_event_is_postponed(
    reader: Reader, client: Any, on_sale: dict[str, Any], bought: str
) -> None:
    assert "Add to calendar" in reader.page
    answer = client.put(f"/api/v3/events/{on_sale['id']}/status", json={"status": "POSTPONED"})
    assert answer.status_code == 200
    reader.get(bought)
    told = postponed_text("en", "Friday 17 May 2030, 20:00 (Vienna time)")
    assert told in reader.page
    assert "Add to calendar" not in reader.page
    entry = calendar_entry(reader, bought)
    assert (entry["STATUS"], entry["DESCRIPTION"]) == ("TENTATIVE", told)
    reader.get("/tickets")
    assert ">Postponed</p>" in reader.page
    reader.get(f"/events/{on_sale['id']}")
    assert told in reader.page


@pytest.mark.parametrize("resumes", [False, True])
def test_a_new_date_is_told_with_the_former_one(
    reader: Reader, client: Any, on_sale: dict[str, Any], bought: str, resumes: bool
) -> None:
    event = f"/api/v3/events/{on_sale['id']}"
    client.put(f"{event}/status", json={"status": "POSTPONED"})
    client.patch(event, json={"startsAt": "2030-06-07T20:00:00+02:00", "endsAt": "2030-06-07T22:00:00+02:00"})
    if resumes:
        client.put(f"{event}/status", json={"status": "ACTIVE"})
    told = moved_text("en", "Friday 17 May 2030, 20:00 (Vienna time)")
    for path in (bought, f"/events/{on_sale['id']}"):
        reader.get(path)
        assert (told in reader.page, "7 June 2030" in reader.page) == (True, True)
    reader.get(bought)
    assert ("Add to calendar" in reader.page) is resumes
    assert calendar_entry(reader, bought)["DESCRIPTION"] == told
    reader.get("/tickets")
    assert (">New date</p>" in reader.page) is resumes


def calendar_entry(reader: Reader, path: str) -> Any:
    """The entry of a purchase's calendar file."""
    return Calendar.from_ical(reader.get(f"{path}/event.ics").get_data()).walk("VEVENT")[0]

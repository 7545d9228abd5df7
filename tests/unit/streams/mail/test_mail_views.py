"""The views of bookings and contacts over HTTP, asked of a worker that owns the partition and of one that doesn't."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import msgspec
import pytest

from connect.partitioning import partition_of
from connect.topics import changelog
from streams.mail.bookings import Bookings
from streams.mail.contacts import Contact, ContactsAgent
from streams.mail.views import add_views
from streams.mail.views.operations import OPERATIONS
from streams.runtime.web_document import document
from tables.bookings.records import Booking, EventNote, booking_key, encode_booking, note_key
from tables.messages.outcomes import OutcomeLine
from tables.messages.statuses import PurchaseStatus
from tests.unit.streams.inventory.view_workers import PARTITIONS, ViewWorker, home_of, serving
from tests.unit.streams.mailing import CODES, FACTS

EVENT, OTHER_EVENT = UUID(int=0xE1 << 100), UUID(int=0xE2 << 100)
ALL = set(range(PARTITIONS))
MINE = {home_of(EVENT)}
ACCOUNTS = [UUID(int=0xA0 + number) for number in range(30)]
PURCHASES = [UUID(int=0xB0 + number) for number in range(30)]
HOSTILE = "<script>alert(1)</script>"
SECRETS = ("Ada", "Byron", "buyer.example", CODES[0])


class MailWorker(ViewWorker):
    """A worker of the role notifications."""

    topics = (changelog("bookings"), changelog("contacts"))

    def add_views(self) -> None:
        self.bookings = Bookings(self.app)
        self.contacts = ContactsAgent(self.app)
        add_views(self.app, self.bookings, self.contacts)

    def close(self) -> None:
        self.bookings.table.close()
        self.contacts.table.close()

    def fill(self) -> None:
        """Store bookings of two events and contacts, of which the first is of a deleted account."""
        encode = msgspec.msgpack.encode
        for place in self.owned:
            self.bookings.table._set_mark(place, 9)
            self.contacts.table._set_mark(place, 9)
        for event in (EVENT, OTHER_EVENT):
            some = {booking_key(event, purchase): encode_booking(booking(ACCOUNTS[0])) for purchase in PURCHASES}
            if home_of(event) in self.owned:
                note = {note_key(event): encode_booking(EventNote(7, FACTS))}
                self.bookings.table.store(home_of(event), some | note)
        for number, account in enumerate(ACCOUNTS):
            key = str(account).encode()
            place = partition_of(key, PARTITIONS)
            contact = Contact(number, "Ada Byron", "ada@buyer.example", "de") if number else Contact(9, "", "", "")
            if place in self.owned:
                self.contacts.table.store(place, {key: encode(contact)})


def booking(account: UUID) -> Booking:
    """A hold with a reminder to come."""
    line = OutcomeLine(UUID(int=4), HOSTILE, 2, Decimal("49.90"), CODES)
    return Booking(
        9, 3, account, PurchaseStatus.HELD, (line,), "EUR", 1_900_000_000_000, 1_900_000_600_000, 1_900_000_500_000
    )


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[MailWorker]]:
    """The owner of EVENT's partition, and the owner of all others."""
    group: dict[str, dict[str, list[int]]] = {}
    keys: dict[str, Any] = {"role": "notifications", "link_key": "4f8kQm2xVb7nRt5wYc9d-Hj3sLp6zGq1"}
    pair = [MailWorker(tmp_path / str(len(it)), it, group, **keys) for it in (MINE, ALL - MINE)]
    for worker in pair:
        worker.fill()
        web: Any = worker.app.web
        web.blueprints.apply(web)  # Faust's own page is at / too
    with serving(*pair):
        yield pair


@pytest.fixture(params=["owner", "other"])
def worker(request: Any, workers: list[MailWorker]) -> MailWorker:
    return workers[0 if request.param == "owner" else 1]


def test_any_worker_shows_a_booking_without_codes(worker: MailWorker) -> None:
    path = f"/api/booking/{EVENT}/{PURCHASES[3]}/"
    answer = worker.get(path)
    body = answer.json()
    assert (body["account"], body["status"], body["lines"][0]["quantity"]) == (str(ACCOUNTS[0]), "held", 2)
    assert (answer.headers["ETag"], CODES[0] in answer.text) == ('"9-0"', False)
    assert worker.get(path, headers={"If-None-Match": '"9-0"'}).status_code == 304
    assert worker.get(f"/api/booking/{EVENT}/{UUID(int=1)}/").status_code == 404


def test_any_worker_lists_every_booking_once(worker: MailWorker) -> None:
    found = [(each["event"], each["purchase"]) for each in worker.listed("/api/bookings/?", 7)]
    due = [(str(event), str(purchase)) for event in (EVENT, OTHER_EVENT) for purchase in PURCHASES]
    assert sorted(found) == sorted(due)
    of_event = worker.listed(f"/api/bookings/?event={OTHER_EVENT}&", 7)
    assert [each["purchase"] for each in of_event] == [str(purchase) for purchase in PURCHASES]


def test_any_worker_shows_contacts_without_names_and_addresses(worker: MailWorker) -> None:
    items = worker.listed("/api/contacts/?", 7)
    assert sorted(each["account"] for each in items) == [str(account) for account in ACCOUNTS]
    assert {each["account"] for each in items if each["deleted"]} == {str(ACCOUNTS[0])}
    answer = worker.get(f"/api/contact/{ACCOUNTS[1]}/")
    assert answer.json() == {"account": str(ACCOUNTS[1]), "lsn": 1, "locale": "de", "deleted": False}
    assert answer.headers["ETag"] == '"1"'
    for path in ("/api/contacts/", f"/api/contact/{ACCOUNTS[1]}/", "/"):
        assert not [word for word in SECRETS if word in worker.get(path).text]


def test_answers_are_as_the_document_says(worker: MailWorker) -> None:
    described = document(OPERATIONS)
    assert worker.get_json("/openapi.json") == described
    parts = {"event": EVENT, "purchase": PURCHASES[0], "account": ACCOUNTS[1]}
    for operation in OPERATIONS:
        content = described["paths"][operation.path]["get"]["responses"]["200"]["content"]["application/json"]
        answer = worker.get(operation.path.format(**parts))
        jsonschema_rs.validate({**content["schema"], "components": described["components"]}, answer.json())
        assert ("ETag" in answer.headers) == operation.has_revision


def test_people_have_a_page_on_which_every_name_is_text(worker: MailWorker) -> None:
    answer = worker.get("/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert (str(ACCOUNTS[0]) in answer.text, "/api/bookings/?cursor=" in answer.text) == (True, True)
    assert ("2 &lt;script&gt;" in answer.text, "<script" in answer.text) == (True, False)


def test_a_partition_that_moves_is_told(workers: list[MailWorker]) -> None:
    for worker in workers:
        worker.owned.clear()
    for path in ("/api/bookings/", "/api/contacts/", f"/api/contact/{ACCOUNTS[1]}/", "/"):
        answer = workers[0].get(path)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/partition-unavailable")


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=x", "event=x"])
def test_wrong_parameters_are_named(workers: list[MailWorker], query: str) -> None:
    answer = workers[0].get(f"/api/bookings/?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"?{query.partition('=')[0]}")

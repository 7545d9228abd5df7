"""The command log as any producer may use it, and the views on the state that it leads to."""

from uuid import UUID, uuid4

import httpx

from connect.partitioning import partition_of
from connect.topics import COMMANDS
from stack.member import HOST
from tables.messages.commands import Buy, Confirm, Hold, TicketLine, encode_command
from tables.messages.outcomes import Outcome, OutcomeKind
from tests.eventually import eventually
from tests.pipeline import PARTITIONS, Pipeline, purchase_id


def outcome_of(pipeline: Pipeline, event: str, purchase: UUID) -> Outcome:
    def found() -> Outcome | None:
        return next((one for one in pipeline.outcomes(event) if one.purchase == purchase), None)

    outcome = eventually(found, within=20, pause=0.3)
    assert outcome is not None
    return outcome


def test_a_malformed_record_is_dead_lettered_and_the_next_one_decided(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    purchase = uuid4()
    poison = b'{"kind":"purchase","event":"' + event.encode() + b'","lines":0}'

    offset = pipeline.send(event, poison)
    pipeline.send(event, encode_command(Buy(UUID(event), purchase, uuid4(), [TicketLine(UUID(kind), 1)])))

    assert outcome_of(pipeline, event, purchase).kind is OutcomeKind.CONFIRMED
    [letter] = [record for record in pipeline.dead_letters("ledger") if record.value == poison]
    headers = dict(letter.headers)
    assert letter.key == event.encode()
    assert headers["dlq-topic"] == COMMANDS.encode()
    assert headers["dlq-partition"] == str(partition_of(event.encode(), PARTITIONS)).encode()
    assert headers["dlq-offset"] == str(offset).encode()
    assert b"MalformedCommand" in headers["dlq-error"]


def test_a_command_put_on_the_wrong_partition_is_decided_by_the_right_one(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    purchase = uuid4()
    command = encode_command(Buy(UUID(event), purchase, uuid4(), [TicketLine(UUID(kind), 5)]))

    wrong = (partition_of(event.encode(), PARTITIONS) + 1) % PARTITIONS
    pipeline.send(event, command, partition=wrong)

    assert outcome_of(pipeline, event, purchase).kind is OutcomeKind.CONFIRMED
    view = pipeline.settled(event, 1)
    assert view["ticketTypes"][0]["available"] == 0


def test_an_unknown_event_is_an_outcome_not_an_error(pipeline: Pipeline) -> None:
    event, purchase = str(uuid4()), uuid4()

    pipeline.send(event, encode_command(Buy(UUID(event), purchase, uuid4(), [TicketLine(uuid4(), 1)])))

    outcome = outcome_of(pipeline, event, purchase)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECTED, "unknown-event")


def test_the_views_show_a_purchase_and_say_what_they_do_not_know(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    purchase = uuid4()
    pipeline.send(event, encode_command(Buy(UUID(event), purchase, uuid4(), [TicketLine(UUID(kind), 2)])))
    outcome_of(pipeline, event, purchase)

    shown = httpx.get(f"{pipeline.worker}/api/purchase/{event}/{purchase}/", trust_env=False).json()
    unknown = httpx.get(f"{pipeline.worker}/api/purchase/{event}/{uuid4()}/", trust_env=False)
    nonsense = httpx.get(f"{pipeline.worker}/api/event/nonsense/", trust_env=False)

    assert (shown["status"], shown["lines"][0]["quantity"]) == ("confirmed", 2)
    assert [decision["kind"] for decision in shown["history"]] == ["confirmed"]
    assert (unknown.status_code, nonsense.status_code) == (404, 404)


def test_the_views_of_the_mails_show_a_booking_and_a_contact_without_an_address(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    account, key = pipeline.account(locale="de"), uuid4().hex
    assert pipeline.buy(event, kind, 2, account, key=key).status_code == 201
    worker = f"http://{HOST}:{pipeline.stack.settings.notifications_port}"

    def shown(path: str) -> httpx.Response | None:
        answer = httpx.get(f"{worker}{path}", trust_env=False)
        return answer if answer.is_success else None

    booking = eventually(lambda: shown(f"/api/booking/{event}/{purchase_id(account, key)}/"), within=30)
    contact = eventually(lambda: shown(f"/api/contact/{account}/"), within=30)
    page = eventually(lambda: shown("/"), within=30)
    assert (booking.json()["status"], booking.json()["lines"][0]["quantity"]) == ("confirmed", 2)
    assert contact.json() | {"locale": "de", "deleted": False} == contact.json()
    assert ("Bookings" in page.text, "buyer.example" in contact.text + page.text) == (True, False)


def test_a_mail_to_nobody_delays_no_other_mail(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    account = pipeline.account()
    place = partition_of(account.encode(), PARTITIONS)
    nobody = next(one for one in iter(uuid4, None) if partition_of(str(one).encode(), PARTITIONS) == place)
    purchase = uuid4()
    pipeline.send(event, encode_command(Buy(UUID(event), purchase, nobody, [TicketLine(UUID(kind), 1)])))
    outcome_of(pipeline, event, purchase)

    assert pipeline.buy(event, kind, 1, account).status_code == 201

    title = pipeline.title(event)
    assert len(eventually(lambda: pipeline.mails(title), within=60)) == 1


def kinds(pipeline: Pipeline, event: str, purchase: UUID) -> list[OutcomeKind]:
    return [one.kind for one in pipeline.outcomes(event) if one.purchase == purchase]


def test_a_hold_ends_on_time_unless_it_was_confirmed(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    left, kept, account = uuid4(), uuid4(), UUID(pipeline.account())
    for hold in (left, kept):
        pipeline.send(event, encode_command(Hold(UUID(event), hold, account, [TicketLine(UUID(kind), 2)], seconds=2)))
    pipeline.send(event, encode_command(Confirm(UUID(event), kept, account)))

    expired = [OutcomeKind.HELD, OutcomeKind.EXPIRED]
    eventually(lambda: kinds(pipeline, event, left) == expired, within=15, pause=0.3)
    assert kinds(pipeline, event, kept) == [OutcomeKind.HELD, OutcomeKind.CONFIRMED]
    [shelf] = pipeline.settled(event, 1)["ticketTypes"]
    assert (shelf["held"], shelf["sold"], shelf["available"]) == (0, 2, 3)


def test_a_cancelled_event_ends_its_holds_and_refunds_its_sales(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(1_000)
    held, account = uuid4(), UUID(pipeline.account())
    sold = [uuid4() for _ in range(700)]
    pipeline.send(event, encode_command(Hold(UUID(event), held, account, [TicketLine(UUID(kind), 1)])))
    for purchase in sold:
        command = encode_command(Buy(UUID(event), purchase, account, [TicketLine(UUID(kind), 1)]))
        pipeline.producer.send(COMMANDS, key=event.encode(), value=command)
    outcome_of(pipeline, event, sold[-1])

    assert pipeline.http.patch(f"/events/{event}", json={"status": "CANCELED"}).is_success

    def all_ended() -> bool:
        ended = {one.purchase for one in pipeline.outcomes(event) if one.kind is OutcomeKind.REFUNDED}
        return ended == set(sold) and kinds(pipeline, event, held)[-1] is OutcomeKind.EXPIRED

    eventually(all_ended, within=30, pause=0.5)
    [shelf] = pipeline.settled(event, 1)["ticketTypes"]
    assert (shelf["held"], shelf["sold"], shelf["state"]) == (0, 0, "event_canceled")

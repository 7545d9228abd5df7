"""Parts go away and come back; nothing that was accepted is lost."""

from uuid import UUID, uuid4

from tables.messages.commands import Buy, TicketLine, encode_command
from tables.messages.outcomes import OutcomeKind
from tests.eventually import eventually
from tests.pipeline import Pipeline


def test_elasticsearch_down_then_up_loses_no_document(pipeline: Pipeline) -> None:
    pipeline.stack.stop("elasticsearch")
    try:
        events = [pipeline.new_event(title=f"Blackout {uuid4().hex[:8]} {number}") for number in range(10)]
    finally:
        pipeline.stack.start("elasticsearch")

    titles = {event: pipeline.title(event) for event in events}
    eventually(lambda: all(event in pipeline.found(title) for event, title in titles.items()), within=60)


def test_the_mail_server_down_then_up_loses_no_mail(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10)
    title = pipeline.title(event)
    pipeline.stack.stop("smtp")
    try:
        bought = [pipeline.buy(event, kind, 1, pipeline.account()) for _ in range(5)]
        assert [answer.status_code for answer in bought] == [201] * 5
    finally:
        pipeline.stack.start("smtp")

    mails = eventually(lambda: len(found := pipeline.mails(title)) >= 5 and found, within=60)
    assert len({mail["message_id"] for mail in mails}) == 5


def test_a_worker_killed_in_the_middle_of_a_sale_loses_no_decision(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(500)
    account = UUID(pipeline.account())
    purchases = [uuid4() for _ in range(2_000)]
    for number, purchase in enumerate(purchases):
        if number in (500, 1_200):
            pipeline.producer.flush()
            pipeline.stack.kill("ledger-0")
            pipeline.stack.start("ledger-0")
        pipeline.producer.send(
            "ticket-commands",
            key=event.encode(),
            value=encode_command(Buy(UUID(event), purchase, account, [TicketLine(UUID(kind), 1)])),
        )
    pipeline.producer.flush()

    def all_decided() -> bool:
        return {one.purchase for one in pipeline.outcomes(event)} >= set(purchases)

    eventually(all_decided, within=60, pause=1)
    decided: dict[UUID, set[tuple[OutcomeKind, object, int]]] = {}
    for outcome in pipeline.outcomes(event):
        if outcome.purchase:
            decided.setdefault(outcome.purchase, set()).add((outcome.kind, outcome.lines, outcome.offset))
    assert {len(answers) for answers in decided.values()} == {1}
    kinds = [next(iter(answers))[0] for answers in decided.values()]
    assert kinds.count(OutcomeKind.CONFIRMED) == 500
    view = pipeline.settled(event, 1)
    assert (view["ticketTypes"][0]["sold"], view["ticketTypes"][0]["available"]) == (500, 0)


def test_the_broker_killed_and_back_loses_no_accepted_purchase(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(50)
    account = pipeline.account()
    first = pipeline.buy(event, kind, 1, account)
    assert first.status_code == 201

    pipeline.stack.kill("kafka")
    down = pipeline.buy(event, kind, 1, account, key="while-down")
    assert down.status_code == 503
    assert "Retry-After" in down.headers
    pipeline.stack.start("kafka")

    def bought() -> bool:
        return pipeline.buy(event, kind, 1, account, key="while-down").status_code == 201

    eventually(bought, within=60, pause=1)
    view = pipeline.settled(event, 1)
    assert view["ticketTypes"][0]["sold"] == 2


def test_postgresql_down_holds_up_no_decision_and_loses_no_sale(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(100)
    account = UUID(pipeline.account())
    purchases = [uuid4() for _ in range(6_000)]
    pipeline.stack.stop("postgres")
    try:
        for purchase in purchases:
            command = Buy(UUID(event), purchase, account, [TicketLine(UUID(kind), 1)])
            pipeline.producer.send("ticket-commands", key=event.encode(), value=encode_command(command))
        pipeline.producer.flush()
        eventually(lambda: len(pipeline.outcomes(event)) >= len(purchases), within=30, pause=0.5)
    finally:
        pipeline.stack.start("postgres")

    count = "SELECT count(*), count(*) FILTER (WHERE status = 'confirmed') FROM purchase WHERE event_id = %s"
    eventually(lambda: pipeline.rows(count, event) == [(6_000, 100)], within=60, pause=0.5)
    later, [other] = pipeline.event(1)
    assert pipeline.buy(later, other, 1, pipeline.account()).status_code == 201

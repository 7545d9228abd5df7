"""Buying by topic: requests of two producers through the gate, on the real stack."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from connect.topics import answers, dead_letters, requests
from tables.messages.answers import Answer, decode_answer
from tests.edges.attack import Reader
from tests.eventually import eventually
from tests.pipeline import Json, Pipeline


@dataclass(repr=False)
class Producer:
    """A client that knows only its two topics."""

    pipeline: Pipeline
    name: str
    _reader: Reader = field(init=False)
    _found: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = Reader(self.pipeline.kafka, answers(self.name), from_the_end=True)

    def send(self, value: Json | bytes, key: str | None = None) -> str:
        """Send a request; its correlation id, which is its place in the answers' header, too."""
        correlation = self.post(value, key)
        self.pipeline.producer.flush(timeout=10)
        return correlation

    def post(self, value: Json | bytes, key: str | None = None) -> str:
        """Send a request soon, without waiting for the broker."""
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        event = key if key is not None or isinstance(value, bytes) else value["event"]
        correlation = uuid4().hex
        headers = [("correlation-id", correlation.encode())]
        self.pipeline.producer.send(requests(self.name), key=event and event.encode(), value=content, headers=headers)
        return correlation

    def answered(self, correlation: str) -> Answer:
        """The answer, of which there is one."""

        [record] = eventually(lambda: self.arrived().get(correlation), within=30)
        assert dict(record.headers)["request"].decode().startswith(f"{requests(self.name)}[")
        return decode_answer(record.value)

    def arrived(self) -> dict[str, list[Any]]:
        """The records of all answers until now by correlation id."""
        for record in self._reader.new():
            self._found.setdefault(dict(record.headers)["correlation-id"].decode(), []).append(record)
        return self._found

    def ask(self, value: Json | bytes, key: str | None = None) -> Answer:
        return self.answered(self.send(value, key))

    def close(self) -> None:
        self._reader.close()


@pytest.fixture
def partner(pipeline: Pipeline) -> Iterator[Producer]:
    producer = Producer(pipeline, "partner")
    yield producer
    producer.close()


@pytest.fixture
def kiosk(pipeline: Pipeline) -> Iterator[Producer]:
    producer = Producer(pipeline, "kiosk")
    yield producer
    producer.close()


@pytest.fixture
def buyer(pipeline: Pipeline, partner: Producer) -> str:
    """An account that the gate knows of."""
    account = pipeline.account()
    nothing = {"kind": "confirm", "event": str(uuid4()), "purchase": str(uuid4()), "account": account}
    eventually(lambda: partner.ask(nothing).status == "decided", within=30)
    return account


def request(kind: str, event: str, account: str, ticket_type: str = "", **more: Any) -> Json:
    body: Json = {"kind": kind, "event": event, "purchase": str(uuid4()), "account": account}
    lines = [{"ticketType": ticket_type, "quantity": 1}]
    return body | ({"lines": lines} if ticket_type else {}) | more


def what(answer: Answer) -> tuple[str, str]:
    """The decision and its reason."""
    assert answer.outcome is not None, answer
    return answer.outcome.kind.value, answer.outcome.reason.value if answer.outcome.reason else ""


def test_a_purchase_by_topic_is_decided_and_its_repeat_gets_the_same_answer(
    pipeline: Pipeline, partner: Producer, buyer: str
) -> None:
    # Not waited for: the gate tells the ledger about the event.
    event = pipeline.new_event()
    ticket_type = pipeline.ticket_type(event, 5)
    body = request("purchase", event, buyer, ticket_type)

    first, again = partner.ask(body), partner.ask(body)

    assert what(first) == ("confirmed", "")
    assert (str(first.purchase), first.repeated, again.repeated) == (body["purchase"], False, True)
    assert first.outcome is not None
    assert again.outcome is not None
    assert again.outcome.lines == first.outcome.lines
    assert pipeline.view(event)["ticketTypes"][0]["sold"] == 1
    assert what(partner.ask(body | {"lines": [{"ticketType": ticket_type, "quantity": 2}]})) == ("refused", "id-reused")


def test_a_request_that_may_not_pass_is_told_why(pipeline: Pipeline, partner: Producer, buyer: str) -> None:
    event, [ticket_type] = pipeline.event(5)
    good = request("purchase", event, buyer, ticket_type)
    definition = {"kind": "define-event", "event": event, "version": 2**62, "definition": {}}
    refused = {
        "malformed lines": partner.ask(good | {"lines": []}),
        "malformed key": partner.ask(good, key="something else"),
        "malformed ": partner.ask(b"nope"),
        "forbidden kind": partner.ask(definition),
        "unknown-account account": partner.ask(good | {"account": str(uuid4())}),
        "unknown-event event": partner.ask(good | {"event": str(uuid4())}),
    }
    assert [f"{answer.status.value} {answer.field}" for answer in refused.values()] == list(refused)
    assert pipeline.view(event)["ticketTypes"][0]["sold"] == 0
    letters = eventually(lambda: pipeline.dead_letters("gate"), within=30)
    assert dead_letters("gate") == "dlq.gate"
    assert event.encode() in {letter.key for letter in letters}


def test_a_producer_has_purchases_of_its_own_and_nobody_confirms_those_of_another(
    pipeline: Pipeline, partner: Producer, kiosk: Producer, buyer: str
) -> None:
    event, [ticket_type] = pipeline.event(5)
    body = request("hold", event, buyer, ticket_type, seconds=60)
    held, other = partner.ask(body), kiosk.ask(body)
    assert [what(held), what(other)] == [("held", "")] * 2
    assert held.outcome is not None
    assert other.outcome is not None
    assert held.outcome.purchase != other.outcome.purchase

    read = request("confirm", event, buyer, purchase=str(held.outcome.purchase))
    assert what(kiosk.ask(read)) == ("refused", "unknown-purchase")
    confirm = request("confirm", event, buyer, purchase=body["purchase"], request=str(uuid4()))
    assert what(partner.ask(confirm)) == ("confirmed", "")
    stock = pipeline.view(event)["ticketTypes"][0]
    assert (stock["held"], stock["sold"]) == (1, 1)
    assert what(kiosk.ask(confirm | {"kind": "cancel"})) == ("cancelled", "")


def test_a_gate_that_is_killed_at_work_gives_every_request_one_answer(
    pipeline: Pipeline, partner: Producer, buyer: str
) -> None:
    stock, burst = 500, 600
    event, [ticket_type] = pipeline.event(stock)
    nobody = str(uuid4())
    sent: dict[str, str] = {}
    for pause_s in (0.05, 0.15, 0.3):
        accounts = [buyer if number % 3 else nobody for number in range(burst)]
        sent |= {partner.post(request("purchase", event, account, ticket_type)): account for account in accounts}
        pipeline.producer.flush(timeout=10)
        time.sleep(pause_s)
        pipeline.stack.kill("gate-0")
        pipeline.stack.start("gate-0")

    found = eventually(lambda: (all_ := partner.arrived()).keys() >= sent.keys() and all_, within=60)

    # A crash may write an answer twice, with the same bytes.
    assert {len({(each.value, tuple(each.headers)) for each in found[one]}) for one in sent} == {1}
    answers_ = {one: decode_answer(found[one][0].value) for one in sent}
    assert {answer.status.value for one, answer in answers_.items() if sent[one] == nobody} == {"unknown-account"}
    decided = Counter(what(answer) for one, answer in answers_.items() if sent[one] == buyer)
    assert decided == {("confirmed", ""): stock, ("rejected", "sold-out"): 3 * burst * 2 // 3 - stock}
    assert not any(answer.repeated for answer in answers_.values())
    assert pipeline.view(event)["ticketTypes"][0]["sold"] == stock

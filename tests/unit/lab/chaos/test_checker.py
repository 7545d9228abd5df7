"""The checker finds nothing in a run that went well, and every damage that is done to its evidence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from lab.chaos.checker import judge
from lab.chaos.checks.case import Case
from lab.chaos.evidence import HISTORY, Evidence, Record
from tests.unit.lab.chaos import story
from tests.unit.lab.chaos.story import (
    ADA,
    BEGAN,
    BOB,
    BOUGHT,
    EVENT,
    HELD,
    KIND,
    REFUSED,
    book,
    payment_row,
    true_run,
)

Damage = Callable[[Evidence], object]


def changed(evidence: Evidence, topic: str, place: int, **fields: Any) -> None:
    """Another value in the JSON of a record."""
    row = evidence.topics[topic][place]
    value = json.dumps(json.loads(row.value or b"") | fields).encode()
    evidence.topics[topic][place] = row._replace(value=value)


def stock(evidence: Evidence, held: int, sold: int) -> None:
    """Other counters in the last record of the event."""
    row = evidence.topics["turnstile-ledger-changelog"][-1]
    fields = msgspec.msgpack.decode(row.value or b"")
    fields[3] = [[fields[3][0][0], held, sold]]
    evidence.topics["turnstile-ledger-changelog"][-1] = row._replace(value=msgspec.msgpack.encode(fields))


def told(evidence: Evidence, place: int, status: int, answer: dict[str, Any]) -> None:
    """Another answer to the client."""
    evidence.history[place] |= {"status": status, "answer": answer}


def lost(evidence: Evidence, topic: str, place: int) -> None:
    """A record that is not there."""
    rows = evidence.topics[topic]
    evidence.topics[topic] = rows[:place] + rows[place + 1 :]


def acknowledged_but_lost(evidence: Evidence) -> None:
    command = json.dumps(story.buying("purchase", REFUSED, BOB, 1))
    evidence.workload.append(story.operation(7, "command", topic="ticket-commands", value=command))
    evidence.history.append({"what": "command", "n": 7, "at": BEGAN, "until": BEGAN, "partition": 0, "offset": 6})


def aborted_but_decided(evidence: Evidence) -> None:
    """The first purchase of the log, as its producer remembers it."""
    first = json.dumps(story.buying("purchase", BOUGHT, ADA, 2))
    evidence.workload.append(story.operation(7, "aborted", topic="ticket-commands", value=first))
    note = {"what": "aborted", "n": 7, "at": BEGAN, "until": BEGAN, "partition": 0, "offset": 1, "ends": "abort"}
    evidence.history.append(note)


def bomb_without_a_letter(evidence: Evidence) -> None:
    evidence.workload.append(story.operation(7, "bomb", key="k", topic="ticket-commands", value="k"))
    evidence.history.append({"what": "bomb", "n": 7, "at": BEGAN, "until": BEGAN, "partition": 0, "offset": 9})


def accepted_but_not_in_the_log(evidence: Evidence) -> None:
    evidence.workload[1]["key"] = "another"
    told(evidence, 1, 202, {})


def second_purchase_has_the_tickets_of_the_first(evidence: Evidence) -> None:
    line = {"ticketType": KIND, "quantity": 1, "codes": [f"{BOUGHT}-0"]}
    changed(evidence, "ticket-purchase", 3, lines=[line])


def sold_out_though_there_were_tickets(evidence: Evidence) -> None:
    """Bob asks for one of three before anybody has bought."""
    evidence.workload.append(story.operation(7, "buy", BOB, key="early", body=story.order(1)))
    evidence.history.append(story.note(7, "buy", 0.1, 409, {"type": "/problems/sold-out", "retryable": True}))


def read(purchase: str, status: int, at: float) -> dict[str, Any]:
    """Ada looks at a purchase."""
    return story.note(7, "read", at, status, {}, method="GET", path=f"/purchases/{EVENT}.{purchase}?wait=1")


def mail_asked_for_again(evidence: Evidence) -> None:
    copied = {"what": "copy", "n": 8, "at": BEGAN + 7, "until": BEGAN + 7.1, "topic": "ticket-purchase"}
    evidence.history.append(copied | {"partition": 0, "original": 1, "offset": 5})
    again = story.job(BOUGHT, 1, "confirmed", ADA)
    evidence.topics["notification-jobs"].append(Record(0, 1, 1000 * (BEGAN + 8), b"", again))


def receipt(evidence: Evidence) -> dict[str, Any]:
    """A receipt that was asked for, and its mail."""
    number, address = str(uuid4()), f"{ADA}@chaos.example"
    job = {"id": number, "kind": "paid", "event": EVENT, "purchase": BOUGHT, "account": ADA}
    evidence.topics["notification-jobs"].append(Record(0, 1, 1000 * (BEGAN + 1), b"", json.dumps(job).encode()))
    return evidence.mails[0] | {"id": f"<{number}@turnstile.example>", "to": address, "delivered": [address]}


def event_moved_and_nobody_was_told(evidence: Evidence) -> None:
    facts = story.FACTS | {"version": 2, "venue": "Elsewhere"}
    news = {"kind": "changed", "event": EVENT, "offset": 6, "at": story.moment(7), "facts": facts}
    definition = story.DEFINITION | {"venue": "Elsewhere"}
    command = {"kind": "define-event", "event": EVENT, "version": 2, "definition": definition}
    rows = evidence.topics["ticket-commands"]
    evidence.topics["ticket-commands"] = story.records(
        [*(row.value or b"" for row in rows), json.dumps(command).encode()]
    )
    rows = evidence.topics["ticket-purchase"]
    evidence.topics["ticket-purchase"] = story.records([*(row.value or b"" for row in rows), json.dumps(news).encode()])
    evidence.tables["event"][0]["version"] = 2
    evidence.views[EVENT] = (evidence.views[EVENT] or {}) | {"version": 2}


DAMAGES: list[tuple[str, int, Damage]] = [
    ("more is out than there is", 1, lambda it: stock(it, 0, 4)),
    ("less than nothing is held", 1, lambda it: stock(it, -1, 2)),
    ("a ticket is sold twice", 1, second_purchase_has_the_tickets_of_the_first),
    ("the view shows another stock", 1, lambda it: (it.views[EVENT] or {})["ticketTypes"][0].update(sold=1)),
    ("the table has sold too much", 1, lambda it: it.tables["purchase"][0]["lines"][0].update(quantity=4)),
    ("sold out, but it was not", 3, sold_out_though_there_were_tickets),
    ("an outcome was never told", 3, lambda it: lost(it, "ticket-purchase", 1)),
    ("an outcome is another than the log's", 3, lambda it: changed(it, "ticket-purchase", 2, reason="event-not-open")),
    ("a purchase has no record", 3, lambda it: lost(it, "turnstile-ledger-changelog", 1)),
    ("what was acknowledged is not in the log", 3, acknowledged_but_lost),
    ("what was aborted is decided", 3, aborted_but_decided),
    ("a bomb is nowhere", 7, bomb_without_a_letter),
    ("the log has a gap", 3, lambda it: lost(it, "ticket-commands", 4)),
    ("a purchase was accepted and is not in the log", 3, accepted_but_not_in_the_log),
    ("bought, says the answer, the log does not", 3, lambda it: told(it, 1, 201, {"id": "x", "status": "confirmed"})),
    ("refused, says the answer, the log does not", 3, lambda it: told(it, 3, 409, {"type": "/problems/sold-out"})),
    ("what was decided is not found", 3, lambda it: it.history.append(read(BOUGHT, 404, 5.0))),
    ("the same key has another answer", 3, lambda it: told(it, 3, 201, story.bought() | {"lines": []})),
    ("an internal error", 4, lambda it: told(it, 3, 500, {})),
    ("no answer in the end", 4, lambda it: told(it, 3, 0, {})),
    ("the run could not be ended", 4, lambda it: it.run.update(failed=["kafka did not come back"])),
    ("a sale is not shown", 4, lambda it: it.tables["purchase"].pop()),
    ("a sale is shown as it was", 4, lambda it: it.tables["purchase"][2].update(status="held")),
    ("the ledger has another version of the event", 4, lambda it: (it.views[EVENT] or {}).update(version=7)),
    ("the ledger does not know the event", 4, lambda it: it.views.clear()),
    (
        "the view of a purchase is old",
        4,
        lambda it: it.purchases.update({f"{EVENT}.{HELD}": it.purchases.popitem()[1]}),
    ),
    ("a list of purchases lacks one", 4, lambda it: it.history[6]["answer"]["items"].clear()),
    ("the index has an old title", 5, lambda it: it.documents[EVENT].update(title="Storm")),
    ("the index shows too many tickets", 5, lambda it: it.documents[EVENT]["ticketTypes"][0].update(available=3)),
    ("the index lacks an event", 5, lambda it: it.documents.clear()),
    ("the index has an event that is gone", 5, lambda it: it.tables["event"].clear()),
    ("a draft was found", 5, lambda it: told(it, 5, 200, {"items": [{"id": story.DRAFT}]})),
    ("a mail never came", 6, lambda it: it.mails.pop()),
    ("a mail went to somebody else", 6, lambda it: it.mails[0].update(delivered=[f"{BOB}@chaos.example"])),
    ("a mail was not due", 6, lambda it: it.mails.append(it.mails[0] | {"id": "<other@turnstile.example>"})),
    ("a repeat is another mail", 6, lambda it: it.mails.append(it.mails[0] | {"text": "something else"})),
    ("a mail lacks a ticket", 6, lambda it: it.mails[0].update(text="")),
    ("a receipt never came", 6, receipt),
    (
        "a receipt went to somebody else",
        6,
        lambda it: it.mails.append(receipt(it) | {"delivered": ["x@chaos.example"]}),
    ),
    ("an old outcome made a mail again", 6, mail_asked_for_again),
    ("nobody was told of a new place", 6, event_moved_and_nobody_was_told),
    ("what can't be read is nowhere", 7, lambda it: it.topics["dlq.ledger"].clear()),
    ("a letter has another key", 7, lambda it: it.topics.update({"dlq.ledger": [story.letter()._replace(key=b"x")]})),
    ("a letter of a good record", 7, lambda it: it.topics["dlq.ledger"].append(story.letter()._replace(value=b"{}"))),
    ("a hold that ended was charged", 10, lambda it: it.books.append(book(HELD, "captured", captured=1050))),
    ("more was refunded than charged", 10, lambda it: it.books.append(book(BOUGHT, "captured", refunded=1050))),
    ("an authorization was not released", 10, lambda it: it.books.append(book(HELD, "authorized"))),
    ("the table has more than the books", 10, lambda it: it.tables["payment"].append(payment_row(HELD, "10.50"))),
    ("somebody reads what is another's", 8, lambda it: told(it, 4, 200, story.bought())),
]


def test_a_purchase_is_not_decided_by_what_was_refused_before_it() -> None:
    evidence = true_run()
    refusal = json.dumps(story.outcome("refused", 0, BOUGHT, ADA, reason="unknown-purchase")).encode()
    evidence.topics["ticket-purchase"].insert(0, Record(0, 0, 1000 * (BEGAN - 60), story.KEY, refusal))
    assert Case(evidence).first_told[EVENT, BOUGHT] == 1000 * (BEGAN + 1)


def test_a_receipt_that_was_asked_for_may_come() -> None:
    evidence = true_run()
    evidence.mails.append(receipt(evidence))
    assert judge(evidence).broken == []


def test_nothing_is_found_in_a_run_that_went_well() -> None:
    verdict = judge(true_run())
    assert verdict.broken == []
    assert verdict.checked["purchases decided"] == 3
    assert verdict.told == {"changed": 1, "confirmed": 1, "rejected": 1, "held": 1, "expired": 1}


@pytest.mark.parametrize(("promise", "damage"), [pytest.param(*each[1:], id=each[0]) for each in DAMAGES])
def test_every_damage_is_found_under_its_promise(promise: int, damage: Damage) -> None:
    evidence = true_run()
    damage(evidence)
    assert promise in {finding.promise for finding in judge(evidence).broken}


def test_a_repeated_mail_is_counted_and_does_no_harm() -> None:
    evidence = true_run()
    evidence.mails.append(evidence.mails[0])
    verdict = judge(evidence)
    assert (verdict.broken, verdict.checked["mails that came more than once"]) == ([], 1)


def test_sold_out_in_advance_is_true_while_it_was_so_a_moment_ago() -> None:
    evidence = true_run()
    evidence.workload.append(story.operation(7, "buy", BOB, key="late", body=story.order(2)))
    evidence.history.append(story.note(7, "buy", 2.5, 409, {"type": "/problems/sold-out", "retryable": True}))
    assert judge(evidence).broken == []


def test_evidence_is_the_same_when_it_was_kept_in_a_folder(tmp_path: Path) -> None:
    evidence = true_run()
    (tmp_path / HISTORY).write_text("".join(json.dumps(note) + "\n" for note in evidence.history))
    evidence.save(tmp_path)
    assert Evidence.load(tmp_path) == evidence

"""The checker of an on-sale sees each kind of damage. Negative controls for ``make demo``."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from lab.demo.onsale import OnSale, Request
from lab.demo.verdict import Verdict, _nothing_withheld, answers_tell_the_truth, one_decision_each
from tables.messages.outcomes import Outcome, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason

EVENT, TYPE, BUYER = (UUID(int=number) for number in (1, 2, 3))


def request(quantity: int = 1, *answers: tuple[int, str]) -> Request:
    made = Request(BUYER, f"key {quantity}", TYPE, quantity, by_kafka=False, times=1)
    made.answers = list(answers)
    return made


def sale(*requests: Request) -> OnSale:
    return OnSale(EVENT, "Night", {TYPE: ("Standing", 10)}, list(requests))


def outcome(asked: Request, kind: OutcomeKind = OutcomeKind.CONFIRMED, offset: int = 1) -> Outcome:
    lines = (OutcomeLine(TYPE, "Standing", asked.quantity, Decimal(10)),) if kind is OutcomeKind.CONFIRMED else ()
    reason = None if lines else Reason.SOLD_OUT
    at = datetime(2030, 1, 1, tzinfo=UTC)
    return Outcome(kind=kind, event=EVENT, offset=offset, at=at, purchase=asked.purchase, lines=lines, reason=reason)


def test_one_decision_told_twice_is_no_damage() -> None:
    asked, verdict = request(), Verdict()

    one_decision_each(sale(asked), [outcome(asked), outcome(asked)], verdict)

    assert verdict.broken == []


def test_two_decisions_on_one_purchase_are_seen() -> None:
    asked, verdict = request(), Verdict()

    one_decision_each(sale(asked), [outcome(asked), outcome(asked, OutcomeKind.REJECTED)], verdict)

    assert [line.partition(":")[0] for line in verdict.broken] == ["promise 3"]


def test_a_purchase_without_a_decision_is_seen() -> None:
    verdict = Verdict()

    one_decision_each(sale(request()), [], verdict)

    assert verdict.broken == ["promise 3: 1 accepted purchases have no decision"]


@pytest.mark.parametrize("copy", [(), ((409, "still-running"),)])
def test_who_was_turned_away_needs_no_decision_but_a_reason(copy: tuple[tuple[int, str], ...]) -> None:
    asked = request(2, (409, "sold-out"), *copy)
    asked.times += len(copy)
    for sold, broken in ((9, []), (8, ["promise 2"])):
        verdict = Verdict(sold={TYPE: sold})
        one_decision_each(sale(asked), [], verdict)
        _nothing_withheld(sale(asked), verdict)
        answers_tell_the_truth(sale(asked), verdict)
        assert [line.partition(":")[0] for line in verdict.broken] == broken
        assert verdict.refused == {"sold-out": 1}


def test_a_refusal_with_tickets_left_is_seen() -> None:
    asked = request(2)
    rejected = {asked.purchase: outcome(asked, OutcomeKind.REJECTED)}
    kept, broken = Verdict(decisions=rejected, sold={TYPE: 9}), Verdict(decisions=rejected, sold={TYPE: 8})

    _nothing_withheld(sale(asked), kept)
    _nothing_withheld(sale(asked), broken)

    assert (len(kept.broken), len(broken.broken)) == (0, 1)


def test_an_answer_that_was_not_the_decision_is_seen() -> None:
    asked = request(1, (201, "confirmed"))
    true, false = Verdict(), Verdict()
    true.decisions = {asked.purchase: outcome(asked)}
    false.decisions = {asked.purchase: outcome(asked, OutcomeKind.REJECTED)}

    answers_tell_the_truth(sale(asked), true)
    answers_tell_the_truth(sale(asked), false)

    assert (len(true.broken), len(false.broken)) == (0, 1)


def test_a_server_error_is_no_true_answer() -> None:
    asked, verdict = request(1, (500, "internal")), Verdict()
    verdict.decisions = {asked.purchase: outcome(asked)}

    answers_tell_the_truth(sale(asked), verdict)

    assert len(verdict.broken) == 1

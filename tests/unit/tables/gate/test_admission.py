"""What requests become, and which are refused."""

from uuid import UUID

import pytest

from tables.gate.admission import command_of, purchase_of, unknown
from tables.messages.commands import Buy, Cancel, Confirm, Hold
from tables.messages.requests import HoldRequest, Request
from tests.unit.tables.ledger_driver import ADA, EVENT, FLOOR, lines, purchase_id

ID, LINES, REQUEST = purchase_id(1), lines(((FLOOR, 2),)), UUID(int=9)
HELD = purchase_of("box-office", ID)
REQUESTS: list[tuple[Request, object]] = [
    (Buy(EVENT, ID, ADA, LINES), Buy(EVENT, HELD, ADA, LINES)),
    (HoldRequest(EVENT, ID, ADA, LINES), Hold(EVENT, HELD, ADA, LINES, 120, True)),
    (HoldRequest(EVENT, ID, ADA, LINES, 30), Hold(EVENT, HELD, ADA, LINES, 30, False)),
    (Confirm(EVENT, ID, ADA, REQUEST), Confirm(EVENT, HELD, ADA, REQUEST)),
    (Cancel(EVENT, ID, ADA, REQUEST, LINES), Cancel(EVENT, HELD, ADA, REQUEST, LINES)),
]


@pytest.mark.parametrize(("request_", "command"), REQUESTS)
def test_a_request_becomes_a_command_with_an_id_of_its_producer(request_: Request, command: object) -> None:
    assert command_of(request_, "box-office", 120) == command


def test_no_producer_can_name_the_purchase_of_another() -> None:
    assert purchase_of("other", ID) != HELD
    assert purchase_of("other", HELD) != HELD


def test_an_account_or_an_event_that_does_not_exist_is_refused() -> None:
    buy, hold, confirm, cancel = (REQUESTS[place][0] for place in (0, 1, 3, 4))

    def why(request: Request, account: bool, event: bool) -> str:
        answer = unknown(request, is_account_known=account, is_event_known=event)
        return answer.field if answer else ""

    assert [why(each, False, True) for each in (buy, hold, confirm, cancel)] == ["account", "account", "account", ""]
    assert [why(each, True, False) for each in (buy, hold, confirm, cancel)] == ["event", "event", "", ""]
    assert {why(each, True, True) for each in (buy, hold, confirm, cancel)} == {""}

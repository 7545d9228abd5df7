"""Which problem a ledger's reason is."""

from api.problem_kinds import PROBLEMS, REFUSALS
from tables.messages.reasons import Reason

# Of a purchase that the caller must not learn of, and of ends that nobody asked for.
WITHOUT_PROBLEM = {Reason.UNKNOWN_PURCHASE, Reason.NOT_YOURS, Reason.EVENT_CANCELED, Reason.HOLD_ENDED}


def test_every_reason_for_which_a_request_is_refused_has_a_problem() -> None:
    assert REFUSALS.keys() == set(Reason) - WITHOUT_PROBLEM
    assert set(REFUSALS.values()) <= PROBLEMS.keys()

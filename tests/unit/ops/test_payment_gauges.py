"""The gauges of payments that wait: every state has a value, so that an alert ends."""

from ops.sources import PAYMENT_STATES, payment_gauges
from tables.payments.transitions import WORK, PaymentState


def test_every_state_that_waits_for_the_ledger_or_the_provider_has_its_gauge() -> None:
    waiting = {state.value for state in WORK} - {PaymentState.AUTHORIZING, PaymentState.DECLINED}
    assert set(PAYMENT_STATES) == waiting


def test_a_state_without_payments_is_0() -> None:
    counts, ages = payment_gauges({"capturing": (2, 61.5)})
    shown = {sample.labels["state"]: sample.value for sample in counts.samples}
    assert shown == dict.fromkeys(PAYMENT_STATES, 0) | {"capturing": 2}
    assert {sample.labels["state"]: sample.value for sample in ages.samples}["capturing"] == 61.5

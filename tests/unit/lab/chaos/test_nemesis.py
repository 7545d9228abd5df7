"""What the nemesis waits for before it kills Kafka."""

from typing import Any

from kafka.admin import TransactionState

from lab.chaos.nemesis import let_transactions_end


class Admin:
    """Lists transactions as often as ``open_for`` says."""

    def __init__(self, open_for: int) -> None:
        self.open_for, self.asked = open_for, 0

    def list_transactions(self, state_filters: Any) -> dict[int, list[str]]:
        assert set(state_filters) == {
            TransactionState.ONGOING,
            TransactionState.PREPARE_COMMIT,
            TransactionState.PREPARE_ABORT,
        }
        self.asked += 1
        return {1: ["one"] if self.asked <= self.open_for else []}


def test_kafka_is_killed_once_no_transaction_is_under_way() -> None:
    admin = Admin(open_for=2)
    let_transactions_end(admin, pause_s=0.0)
    assert admin.asked == 3


def test_a_transaction_that_stays_open_is_not_waited_for_for_ever() -> None:
    admin = Admin(open_for=10)
    let_transactions_end(admin, timeout_s=0.0)
    assert admin.asked == 1

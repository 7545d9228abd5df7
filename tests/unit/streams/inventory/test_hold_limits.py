"""When a worker writes its limits on holds to the log; table and settings are real, the broker is a fake."""

import asyncio

import pytest
from aiokafka.errors import KafkaError

from connect.topics import COMMANDS
from settings import Settings
from streams.inventory import hold_limits
from streams.inventory.hold_limits import HoldLimitsWriter, limits_of
from streams.runtime.app import App
from streams.runtime.kafka_types import Record
from streams.runtime.produce import Produced
from streams.runtime.table import OffsetTable
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, UNLIMITED, encode_limits
from tables.messages.commands import PAYMENT_DEFAULT_S, Command, LimitHolds, decode_command

PARTITION = 2
DEFAULTS = LimitHolds(3_600, 20, 60)


class Broker:
    """Takes what is appended, unless it is away."""

    def __init__(self) -> None:
        self.log: list[Command] = []
        self.away = False

    async def append(self, app: App, topic: str, partition: int, records: list[Record]) -> Produced:
        assert (topic, partition) == (COMMANDS, PARTITION)
        if self.away:
            raise KafkaError
        self.log += [decode_command(record.value) for record in records]
        return Produced()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(hold_limits, "append", broker.append)
    return broker


def in_force(table: OffsetTable, limits: LimitHolds) -> None:
    table.store(PARTITION, {HOLD_LIMITS_KEY: encode_limits(UNLIMITED.then(7, limits))})


def write(limits: HoldLimitsWriter) -> None:
    asyncio.run(limits.write(PARTITION))


def test_where_none_are_in_force_they_are_appended_once(app: App, table: OffsetTable, broker: Broker) -> None:
    limits = HoldLimitsWriter(app, table)
    write(limits)
    write(limits)
    assert broker.log == [DEFAULTS]


@pytest.mark.parametrize(
    ("others", "appended"),
    [(DEFAULTS, []), (LimitHolds(3_600, 20), [DEFAULTS]), (LimitHolds(60, 1, 1), [DEFAULTS])],
)
def test_others_in_force_are_replaced(
    app: App, table: OffsetTable, broker: Broker, others: LimitHolds, appended: list[Command]
) -> None:
    in_force(table, others)
    write(HoldLimitsWriter(app, table))
    assert broker.log == appended


def test_after_another_assignment_it_looks_again(app: App, table: OffsetTable, broker: Broker) -> None:
    limits = HoldLimitsWriter(app, table)
    write(limits)
    in_force(table, LimitHolds(60))
    asyncio.run(app.on_partitions_assigned.send(set()))
    write(limits)
    assert broker.log == [DEFAULTS, DEFAULTS]


def test_what_could_not_be_appended_is_tried_again(app: App, table: OffsetTable, broker: Broker) -> None:
    limits = HoldLimitsWriter(app, table)
    broker.away = True
    with pytest.raises(KafkaError):
        write(limits)
    broker.away = False
    write(limits)
    assert broker.log == [DEFAULTS]


def test_no_limit_is_set_where_none_was_and_taken_back_where_one_was() -> None:
    none = {"hold_seconds_max": 0, "hold_tickets_max": 0, "hold_cooldown_seconds": 0}
    assert limits_of(Settings.model_validate({"ticket_key": "k" * 32} | none)) == LimitHolds() == UNLIMITED.command()


def test_another_time_to_pay_is_a_limit_and_the_ledgers_default_is_none() -> None:
    for seconds, limit in ((300, 300), (PAYMENT_DEFAULT_S, None)):
        given = Settings.model_validate({"ticket_key": "k" * 32, "payment_seconds": seconds})
        assert limits_of(given).payment_seconds == limit
    assert Settings.model_fields["payment_seconds"].default == PAYMENT_DEFAULT_S

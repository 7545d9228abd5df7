"""What is asked of the pipeline from outside: lags and groups of Kafka, slots of PostgreSQL, Connect's connectors."""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import psycopg
import pytest

from connect.client_options import client_options
from connect.connectors.configuration import connectors
from connect.connectors.rest_client import ConnectClient
from connect.observe.lag import KafkaWatch, LogState
from connect.observe.slots import read_slots
from connect.topics import COMMANDS, OUTCOMES
from settings import ROLES, Role
from tests.eventually import eventually
from tests.pipeline import Pipeline


@pytest.fixture
def watch(pipeline: Pipeline) -> Iterator[KafkaWatch]:
    with closing(KafkaWatch(client_options(pipeline.settings))) as watch:
        yield watch


# Not the mails: thousands of another test's may be on their way.
READ: Final[tuple[tuple[Role, str], ...]] = (("ledger", COMMANDS), ("sales", OUTCOMES))


def caught_up(watch: KafkaWatch) -> LogState:
    """The state of the log once nobody has to read any more of what is sold."""
    found = watch.look()
    assert {(role, topic): found.groups[role].lags[topic] for role, topic in READ} == dict.fromkeys(READ, 0)
    return found


def test_every_role_has_its_workers_and_comes_to_the_end_of_what_it_reads(
    pipeline: Pipeline, watch: KafkaWatch
) -> None:
    event, [kind] = pipeline.event(2)
    assert pipeline.buy(event, kind, 1, pipeline.account()).status_code == 201
    done = eventually(lambda: caught_up(watch), within=30)
    at_work = {role: (group.state, group.members > 0) for role, group in done.groups.items()}
    assert at_work == dict.fromkeys(ROLES, ("Stable", True))
    assert done.ends[COMMANDS] > 0 < done.ends[OUTCOMES]


def test_what_a_worker_that_is_gone_has_not_read_is_its_roles_lag(pipeline: Pipeline, watch: KafkaWatch) -> None:
    event, [kind] = pipeline.event(2)
    pipeline.stack.stop("sales-0")
    try:
        assert pipeline.buy(event, kind, 1, pipeline.account()).status_code == 201
        assert eventually(lambda: watch.look().groups["sales"].lags[OUTCOMES] >= 1, within=10)
        assert eventually(lambda: watch.look().groups["sales"].members == 0, within=20)
    finally:
        pipeline.stack.start("sales-0")


def test_every_connector_has_a_slot_that_is_read(pipeline: Pipeline) -> None:
    wanted = connectors(pipeline.settings)
    with psycopg.connect(pipeline.settings.database_url.get_secret_value()) as connection:
        slots = {slot.name: slot for slot in read_slots(connection)}
    assert {each.slot for each in wanted} <= slots.keys()
    assert all(slots[each.slot].active and not slots[each.slot].lost for each in wanted)
    worker = ConnectClient(pipeline.settings.connect_url, timeout=2)
    with closing(worker):
        states = worker.states()
    assert {each.name: states[each.name].states for each in wanted} == {
        each.name: ("RUNNING", "RUNNING") for each in wanted
    }

"""Where somebody has given a topic more partitions, a worker still gets those of a log whose table it has."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from connect.topics import ACCOUNT_ROWS, COMMANDS, EVENT_STATUS, changelog
from settings import Settings
from streams.runtime.app import make_app

TABLE = changelog("ledger")


def assigned(topics: dict[str, int], tmp_path: Path) -> list[dict[str, list[int]]]:
    """The partitions that two workers get of these topics, which have so many; four belong to the deployment."""
    app: Any = make_app(Settings(ticket_key="k" * 32, partitions=4, role="ledger", standbys=0, worker_data=tmp_path))
    cluster = SimpleNamespace(partitions_for_topic=lambda topic: set(range(topics[topic])))
    told = app.assignor.metadata(set(topics))
    member = ConsumerProtocolMemberMetadata(told.version, told.subscription, told.user_data)
    answers = app.assignor.assign(cluster, {"a": member, "b": member})
    shares: list[ConsumerProtocolMemberAssignment] = [answers[name] for name in ("a", "b")]
    return [{topic: sorted(numbers) for topic, numbers in share.assignment} for share in shares]


@pytest.mark.parametrize("raised", [COMMANDS, TABLE, ACCOUNT_ROWS])
def test_a_worker_gets_the_partitions_of_a_log_whose_table_it_has(raised: str, tmp_path: Path) -> None:
    shares = assigned({COMMANDS: 4, TABLE: 4, ACCOUNT_ROWS: 4} | {raised: 7}, tmp_path)
    assert all(len({tuple(numbers) for numbers in share.values()}) == 1 for share in shares)
    assert sorted(number for share in shares for number in share[COMMANDS]) == [0, 1, 2, 3]


def test_every_partition_is_read_of_what_debezium_writes_for_a_reader_without_a_table(tmp_path: Path) -> None:
    shares = assigned({COMMANDS: 4, TABLE: 4, EVENT_STATUS: 7}, tmp_path)
    assert sorted(number for share in shares for number in share[EVENT_STATUS]) == list(range(7))

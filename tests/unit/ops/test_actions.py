"""What an operator did is kept as one record; the topic is a list."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

import ops.actions
from connect.topics import OPERATOR_ACTIONS
from ops.actions import read, record
from ops.commands.actions import command
from tables.messages.operator_actions import OperatorAction


class FakeTopic:
    """Producer and consumer of one partition."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []
        self.at = 0

    def send(self, topic: str, value: bytes) -> Any:
        assert topic == OPERATOR_ACTIONS
        self.values.append(value)
        return SimpleNamespace(get=lambda seconds: None)

    def assign(self, places: list[Any]) -> None:
        assert [place.topic for place in places] == [OPERATOR_ACTIONS]

    def end_offsets(self, places: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(places, len(self.values))

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0}

    def beginning_offsets(self, places: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(places, 0)

    def seek(self, place: Any, offset: int) -> None:
        self.at = offset

    def position(self, place: Any) -> int:
        return self.at

    def poll(self, **_: object) -> dict[Any, list[Any]]:
        self.at += 1
        return {None: [SimpleNamespace(value=self.values[self.at - 1])]}

    def close(self) -> None:
        return


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> FakeTopic:
    topic = FakeTopic()
    monkeypatch.setattr(ops.actions, "KafkaProducer", lambda **_: topic)
    monkeypatch.setattr("connect.records.consumer.make_consumer", lambda _: topic)
    return topic


def test_an_action_is_kept_with_its_reason_and_who_did_it(topic: FakeTopic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.actions.getpass.getuser", lambda: "ada")
    done = record({}, "ledger skip", "the disk was lost", partition=2, first=5, last=9)
    assert done.by.startswith("ada@")
    assert (done.reason, done.details) == ("the disk was lost", {"partition": 2, "first": 5, "last": 9})
    assert list(read({})) == [done]


def test_a_user_without_a_name_is_told_by_number(topic: FakeTopic, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError

    monkeypatch.setattr("ops.actions.getpass.getuser", nameless)
    assert record({}, "ledger skip", "why").by.partition("@")[0].isdigit()


def test_what_is_no_action_is_passed_over(topic: FakeTopic) -> None:
    topic.values = [b"nope", None]
    done = record({}, "ledger skip", "why")
    assert list(read({})) == [done]


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_what_is_too_deep_to_be_told_is_passed_over(option: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """It can just be decoded."""
    deep: list[Any] = []
    for _ in range(2_000):
        deep = [deep]
    done = [OperatorAction(datetime.now(UTC), "ada", "ledger skip", "why", {"deep": value}) for value in (deep, 1)]
    monkeypatch.setattr("ops.commands.actions.client_options", lambda _: {})
    monkeypatch.setattr("ops.commands.actions.settings", lambda: None)
    monkeypatch.setattr("ops.commands.actions.read", lambda _: done)
    told = CliRunner().invoke(command, option)
    assert (told.exit_code, told.output.count("ledger skip")) == (0, 1)

"""The command line of dead letters, on topics in memory."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from kafka import TopicPartition

from connect.topics import ACCOUNT_ROWS, JOBS, dead_letters
from ops import deadletters
from ops.dlq import dlq
from settings import settings


class Broker:
    """Topics as lists of records, for a consumer and a producer alike."""

    def __init__(self) -> None:
        self.topics: dict[tuple[str, int], list[Any]] = {}
        self._assigned: list[Any] = []
        self._positions: dict[Any, int] = {}

    def append(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Any = ()) -> None:
        log = self.topics.setdefault((topic, partition), [])
        log.append(
            SimpleNamespace(
                topic=topic, partition=partition, offset=len(log), key=key, value=value, headers=headers, timestamp=1
            )
        )

    # the consumer's side
    def __call__(self, **options: Any) -> "Broker":
        self._positions.clear()
        return self

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0, 1}

    def beginning_offsets(self, places: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(places, 0)

    def end_offsets(self, places: list[Any]) -> dict[Any, int]:
        return {place: len(self.topics.get((place.topic, place.partition), [])) for place in places}

    def assign(self, places: list[Any]) -> None:
        self._assigned = places

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._positions[place] = offset

    def position(self, place: TopicPartition) -> int:
        return self._positions[place]

    def poll(self, timeout_ms: int) -> dict[Any, list[Any]]:
        found = {}
        for place in self._assigned:
            found[place] = self.topics.get((place.topic, place.partition), [])[self._positions[place] :][:1]
            self._positions[place] += len(found[place])
        return found

    # the producer's side
    def send(self, topic: str, *, partition: int, key: Any, value: Any, headers: Any) -> Any:
        self.append(topic, partition, key, value, headers)
        return SimpleNamespace(get=lambda timeout: None)

    def close(self) -> None:
        return


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 32)
    settings.cache_clear()
    broker = Broker()
    monkeypatch.setattr(deadletters, "KafkaConsumer", broker)
    monkeypatch.setattr(deadletters, "KafkaProducer", broker)
    return broker


def bury(broker: Broker, consumer: str, topic: str, value: bytes, offset: int = 0, error: str = "Error: why") -> None:
    origin = {"dlq-topic": topic, "dlq-partition": "1", "dlq-offset": str(offset), "dlq-error": error}
    headers = [("trace", b"x"), *((name, text.encode()) for name, text in origin.items())]
    broker.append(dead_letters(consumer), 1, b"key", value, headers)


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(dlq, arguments)
    assert done.exit_code == code, done.output
    return done.output


def test_letters_are_listed_with_where_they_are_from_and_why(broker: Broker) -> None:
    bury(broker, "mailer", JOBS, b"{", 7)
    [line] = run("list", "--json").splitlines()
    assert json.loads(line) == {
        "id": "mailer:1:0",
        "at": "1970-01-01T00:00:00.001000+00:00",
        "topic": JOBS,
        "partition": 1,
        "offset": 7,
        "error": "Error: why",
        "fate": None,
    }
    assert "mailer:1:0" in run("list", "mailer")
    assert "no dead letters" in run("list", "sales")


def test_a_letter_is_shown_whole_and_what_is_no_text_as_escapes(broker: Broker) -> None:
    bury(broker, "mailer", JOBS, b"\xff\x1b[31m")
    shown = run("show", "mailer:1:0")
    assert "\x1b" not in shown
    assert json.loads(shown)["value"] == "\\xff\x1b[31m"
    assert json.loads(shown)["headers"]["trace"] == "x"


def test_a_reason_cannot_colour_the_terminal(broker: Broker) -> None:
    bury(broker, "mailer", JOBS, b"{", error="[red]\x1b[31m boo")
    shown = run("list", "mailer")
    assert "\x1b" not in shown
    assert "[red]" in shown


def test_a_replayed_record_is_as_it_was_and_counts_no_more(broker: Broker) -> None:
    bury(broker, "mailer", JOBS, b"one")
    bury(broker, "mailer", JOBS, b"two")
    assert json.loads(run("count", "--json"))["mailer"] == 2

    assert run("replay", "mailer:1:1").split() == ["mailer:1:1", "replayed"]

    [record] = broker.topics[JOBS, 1]
    assert (record.key, record.value, record.headers) == (b"key", b"two", [("trace", b"x")])
    assert json.loads(run("count", "--json"))["mailer"] == 1
    assert run("replay", "--all", "mailer").split() == ["mailer:1:0", "replayed"]
    assert run("replay", "--all", "every") == ""
    assert [json.loads(line)["fate"] for line in run("list", "--all", "--json").splitlines()] == ["replayed"] * 2


def test_a_discarded_letter_counts_no_more_and_goes_nowhere(broker: Broker) -> None:
    bury(broker, "mailer", JOBS, b"one")
    assert run("discard", "mailer:1:0").split() == ["mailer:1:0", "discarded"]
    assert (JOBS, 1) not in broker.topics
    assert json.loads(run("count", "--json"))["mailer"] == 0


@pytest.mark.parametrize(("changed", "fate"), [(b"key", "superseded"), (b"another", "replayed")])
def test_a_row_that_changed_since_is_not_put_behind_its_own_future(broker: Broker, changed: bytes, fate: str) -> None:
    for key in (b"key", changed):
        broker.append(ACCOUNT_ROWS, 1, key, b"row")
    bury(broker, "contacts", ACCOUNT_ROWS, b"row", 0)
    assert run("replay", "contacts:1:0").split() == ["contacts:1:0", fate]
    assert len(broker.topics[ACCOUNT_ROWS, 1]) == (2 if fate == "superseded" else 3)
    assert json.loads(run("count", "--json"))["contacts"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "mailer:1:0"), "no dead letter mailer:1:0"),
        (("replay", "nobody:0:0"), "CONSUMER:PARTITION:OFFSET"),
        (("replay",), "--all"),
        (("replay", "mailer:1:0", "--all", "mailer"), "--all"),
        (("list", "nobody"), "nobody"),
    ],
)
def test_what_is_not_there_is_named(broker: Broker, arguments: tuple[str, ...], said: str) -> None:
    assert said in " ".join(run(*arguments, code=2).split())

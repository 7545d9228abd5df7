"""The command line of dead letters, on topics in memory."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from msgspec.structs import asdict, astuple

from connect.observe import dead_letters as deadletters
from connect.observe.dead_letters import DeadLetterTopics
from connect.topics import ACCOUNT_ROWS, COMMANDS, JOBS, dead_letters
from ops.commands import dlq as dlq_module
from ops.commands.dlq import command as dlq
from settings import Settings
from streams.runtime.failures import dead_letter
from streams.runtime.kafka_types import Record


class Broker:
    """Topics as lists of records, for a consumer and a producer alike."""

    def __init__(self) -> None:
        self.topics: dict[tuple[str, int], list[Any]] = {}
        self.takes = 2**31
        self._assigned: list[Any] = []
        self._positions: dict[Any, int] = {}

    def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Any = (), at: int = 1
    ) -> None:
        if len(value or b"") > self.takes:
            raise MessageSizeTooLargeError(topic)
        log = self.topics.setdefault((topic, partition), [])
        log.append(
            SimpleNamespace(
                topic=topic, partition=partition, offset=len(log), key=key, value=value, headers=headers, timestamp=at
            )
        )

    # the consumer's side
    def __call__(self, *_: Any, **options: Any) -> "Broker":
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

    def poll(self, **_: object) -> dict[Any, list[Any]]:
        found = {}
        for place in self._assigned:
            found[place] = self.topics.get((place.topic, place.partition), [])[self._positions[place] :][:1]
            self._positions[place] += len(found[place])
        return found

    def close(self) -> None:
        return


@cache
def told() -> Settings:
    return Settings(ticket_key="k" * 32)


@contextmanager
def standing_in() -> Iterator[Broker]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dlq_module, "settings", told)
        broker = Broker()
        patch.setattr("connect.records.consumer.make_consumer", broker)
        patch.setattr(deadletters, "Appender", broker)
        yield broker


@pytest.fixture
def broker() -> Iterator[Broker]:
    with standing_in() as broker:
        yield broker


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
    assert json.loads(shown)["headers"] == [["trace", "x"]]


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
    assert (record.key, record.value, record.headers) == (b"key", b"two", (("trace", b"x"),))
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


HOSTILE = ("dlq-topic", "dlq-partition", "dlq-offset", "dlq-error", "dlq-details", "dlq-done", "traceparent", "")
bytes_or_none = st.none() | st.binary(max_size=50)
records = st.builds(
    Record,
    bytes_or_none,
    bytes_or_none,
    st.lists(st.tuples(st.sampled_from(HOSTILE) | st.text(max_size=10), bytes_or_none), max_size=8),
)


def put(broker: Broker, record: Record, topic: str = COMMANDS, consumer: str = "ledger") -> None:
    message: Any = SimpleNamespace(topic=topic, partition=0, offset=17, **asdict(record))
    broker.append(dead_letters(consumer), 0, *astuple(dead_letter(message, ValueError("why"))))


@given(records)
def test_a_record_of_any_kind_comes_back_as_it_was(record: Record) -> None:
    with standing_in() as broker:
        put(broker, record)

        assert f"{COMMANDS}[0]@17" in run("list")
        assert len(json.loads(run("show", "ledger:0:0"))["headers"]) == len(record.headers)
        assert run("replay", "ledger:0:0").split() == ["ledger:0:0", "replayed"]

        [again] = broker.topics[COMMANDS, 0]
        assert (again.key, again.value, list(again.headers)) == astuple(record)
        assert json.loads(run("count", "--json"))["ledger"] == 0


@given(records, st.integers(-1, 2**63 - 1))
def test_whatever_stands_on_the_topic_is_listed_shown_and_discarded(record: Record, at: int) -> None:
    with standing_in() as broker:
        broker.append(dead_letters("ledger"), 0, record.key, record.value, tuple(record.headers), at)
        found = DeadLetterTopics({}).read("ledger")
        assert len(run("list").splitlines()) >= len(found)
        for one in found:
            run("show", one.id)
            run("replay", one.id, code=1)
            run("discard", one.id)
        assert json.loads(run("count", "--json"))["ledger"] == 0


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"nope", [("dlq-done", b"x")]),
        (None, [("dlq-done", b"x")]),
        (None, [("dlq-done", None)]),
        (None, [("dlq-done", b"replayed x")]),
        (b"nope", [("dlq-done", b"replayed 0")]),
        (b"nope", [("dlq-partition", b"x")]),
        (b"nope", None),
        (None, []),
    ],
    ids=str,
)
def test_an_odd_record_is_shown_as_odd_and_never_replayed(broker: Broker, value: Any, headers: Any) -> None:
    bury(broker, "mailer", JOBS, b"{")
    broker.append(dead_letters("mailer"), 1, b"\xff", value, headers)

    assert json.loads(run("count", "--json"))["mailer"] == 2
    assert "dlq.mailer[1]@1\n  foreign: not one of our dead letters" in run("list")
    assert json.loads(run("show", "mailer:1:1"))["topic"] is None
    assert "not one of our dead letters" in run("replay", "mailer:1:1", code=1)
    assert run("discard", "mailer:1:1").split() == ["mailer:1:1", "discarded"]
    assert json.loads(run("count", "--json"))["mailer"] == 1


def test_a_letter_that_says_it_is_of_another_topic_is_odd(broker: Broker) -> None:
    bury(broker, "mailer", COMMANDS, b"{}")
    assert "not one of our dead letters" in run("replay", "mailer:1:0", code=1)
    assert (COMMANDS, 1) not in broker.topics


def test_a_mark_of_a_producer_does_not_close_its_letter(broker: Broker) -> None:
    put(broker, Record(b"key", b"nope", [("dlq-done", b"replayed 0"), ("dlq-done", b"x")]))
    put(broker, Record(b"key", None, [("dlq-done", b"replayed 0")]))
    assert json.loads(run("count", "--json"))["ledger"] == 2


def test_a_letter_that_was_cut_is_told_and_not_replayed_and_the_others_are(broker: Broker) -> None:
    put(broker, Record(b"key", b"x" * 3_000_000))
    put(broker, Record(b"key", b"small"))

    listed = run("list")
    assert "cut: value of 3,000,000 bytes" in listed
    [first, _] = map(json.loads, run("list", "--json").splitlines())
    assert (first["cut"][0]["part"], first["cut"][0]["bytes"]) == ("value", 3_000_000)
    told = run("replay", "--all", "ledger", code=1)
    assert "ledger:0:1 replayed" in told
    assert "ledger:0:0 can't be replayed: it lacks some of the record's value (3,000,000 bytes" in told
    assert "stands at ticket-commands[0]@17" in told
    assert [record.value for record in broker.topics[COMMANDS, 0]] == [b"small"]


def test_a_letter_that_its_topic_takes_only_compressed_stays_open(broker: Broker) -> None:
    put(broker, Record(b"key", b"x" * 1_500_000))
    broker.takes = 1_048_588

    assert "ledger:0:0 is too large for ticket-commands" in run("replay", "ledger:0:0", code=1)
    assert json.loads(run("count", "--json"))["ledger"] == 1


def test_a_place_is_never_broken_at_80_columns(broker: Broker) -> None:
    long = Record(b"key", b"{}")
    message: Any = SimpleNamespace(topic=ACCOUNT_ROWS, partition=11, offset=1_234_567_890, **asdict(long))
    broker.append(dead_letters("contacts"), 1, *astuple(dead_letter(message, ValueError("why " * 50))))

    lines = run("list").splitlines()
    assert f"  {ACCOUNT_ROWS}[11]@1234567890" in lines
    assert max(map(len, lines)) <= 80


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

"""Transient errors are retried and logged once, others are not. Dead letters fit their topic, and say what was cut."""

import asyncio
import hashlib
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from connect.topics import DEAD_LETTER_MAX_BYTES
from streams.runtime import failures
from streams.runtime.agents import Interrupted
from streams.runtime.counters import Counters
from streams.runtime.failures import dead_letter, dead_letter_record, with_retries
from streams.runtime.fitting import size_of
from streams.runtime.kafka_types import Record
from tables.messages.dead_letters import Cut, Origin, RecordPart, decode_info


class Transient(Exception):
    """An error that passes."""


def app(*, active: bool = True, should_stop: bool = False) -> Any:
    flow = SimpleNamespace(is_active=lambda: active)
    return SimpleNamespace(should_stop=should_stop, flow_control=flow, counters=Counters())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "BACKOFF_FIRST_S", 0.001)
    monkeypatch.setattr(failures, "INTERRUPT_CHECK_S", 0.001)


def failing(times: int) -> Any:
    left = [Transient("down")] * times

    async def action() -> str:
        if left:
            raise left.pop()
        return "done"

    return action


def test_a_passing_fault_is_waited_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    result = asyncio.run(with_retries(app(), failing(4), doing="indexing", transient=(Transient,)))

    assert result == "done"
    assert [record.message.split(" ", 1)[1] for record in caplog.records] == [
        "failed, retrying until it works: Transient('down')",
        "works again",
    ]


def test_another_error_is_not_waited_out() -> None:
    async def action() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        asyncio.run(with_retries(app(), action, doing="indexing", transient=(Transient,)))


@pytest.mark.parametrize("state", [{"active": False}, {"should_stop": True}])
def test_waiting_ends_when_the_partitions_are_taken_or_the_worker_stops(state: dict[str, bool]) -> None:
    worker = app(**state)
    with pytest.raises(Interrupted):
        asyncio.run(with_retries(worker, failing(1), doing="indexing", transient=(Transient,)))
    # Whoever takes over waits, not this worker.
    assert worker.counters._waiting_since == {"indexing": 0.0}


def message(record: Record) -> Any:
    return SimpleNamespace(topic="t", partition=1, offset=9, key=record.key, value=record.value, headers=record.headers)


def test_a_letter_of_a_record_of_any_size_fits_its_topic_and_says_what_was_cut() -> None:
    value = b"x" * 3_000_000

    made = dead_letter(message(Record(b"key", value, [("h", b"y" * 2_000_000)])), ValueError("e" * 10_000))

    assert DEAD_LETTER_MAX_BYTES - 10_000 < size_of(made) <= DEAD_LETTER_MAX_BYTES
    found = decode_info(made.headers)
    assert found is not None
    ours, own = found
    assert (str(ours.origin), made.key, [name for name, _ in own]) == ("t[1]@9", b"key", ["h"])
    assert ours.cuts == (
        Cut(RecordPart.HEADERS, 2_000_001, hashlib.sha256(b"h" + b"y" * 2_000_000).hexdigest()),
        Cut(RecordPart.VALUE, len(value), hashlib.sha256(value).hexdigest()),
    )


def test_a_letter_of_a_letter_fits_and_keeps_the_headers_of_the_first() -> None:
    first = dead_letter(message(Record(b"key", b"x" * 3_000_000, [("trace", None)])), ValueError("first"))

    second = dead_letter(message(first), ValueError("second"))

    assert size_of(second) <= DEAD_LETTER_MAX_BYTES
    found = decode_info(second.headers)
    assert found is not None
    assert found[1] == first.headers


def test_a_letter_of_a_whole_batch_says_its_offsets_and_what_its_writer_could_not_keep() -> None:
    lost = Cut(RecordPart.HEADERS, 3, hashlib.sha256(b"\xe9t\xe9").hexdigest())

    made = dead_letter_record(Origin("t", 1, 9, 12), ValueError("why"), Record(None, b"raw"), [lost])

    found = decode_info(made.headers)
    assert found is not None
    assert (str(found[0].origin), found[0].cuts, made.value) == ("t[1]@9-12", (lost,), b"raw")


def test_a_header_whose_name_is_no_text_is_told_with_escapes_and_as_not_whole() -> None:
    made = dead_letter(message(Record(b"key", b"{}", [(r"\xe9t\xe9", None), ("t", b"x")])), ValueError("why"))

    found = decode_info(made.headers)
    assert found is not None
    ours, own = found
    assert own == [(r"\xe9t\xe9", None), ("t", b"x")]
    assert ours.cuts == (Cut(RecordPart.HEADERS, 5, hashlib.sha256(b"\xe9t\xe9tx").hexdigest()),)


def test_escaped_headers_that_are_also_too_large_are_told_once() -> None:
    made = dead_letter(message(Record(b"key", b"{}", [(r"\xe9", b"y" * 3_000_000)])), ValueError("why"))

    found = decode_info(made.headers)
    assert found is not None
    assert found[0].cuts == (
        Cut(RecordPart.HEADERS, 3_000_001, hashlib.sha256(b"\xe9" + b"y" * 3_000_000).hexdigest()),
    )

"""The age of the newest row of each connector, including connectors without any."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaError

from connect.observe.heartbeat import LATE_AFTER_S, CaptureWatch, lateness

NOW = 1_900_000_000.0
NAMES = ("turnstile-account", "turnstile-event", "turnstile-outbox")


class Records:
    """A consumer that returns these records at once, or raises them if they are exceptions."""

    def __init__(self, *records: Any) -> None:
        self.records = list(records)
        self.closed = False

    def poll(self, timeout_ms: int) -> dict[int, list[Any]]:
        if any(isinstance(record, KafkaError) for record in self.records):
            raise self.records[0]
        records, self.records = self.records, []
        return {0: records} if records else {}

    def close(self) -> None:
        self.closed = True


def beat(by: bytes, value: bytes | None, at: float = NOW) -> Any:
    return SimpleNamespace(headers=[("connector", by)], value=value, timestamp=round(at * 1000))


def watch_of(consumer: Records) -> CaptureWatch:
    watch = CaptureWatch({}, NAMES)
    watch._consumer = consumer
    return watch


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [NOW]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def test_the_newest_row_that_came_through_a_connector_tells_how_far_it_is(now: list[float]) -> None:
    watch = watch_of(
        Records(
            beat(b"turnstile-event", b'{"connector":"turnstile-event","at":"2030-03-17T17:45:00Z"}'),
            beat(b"turnstile-event", b'{"connector":"turnstile-account","at":"2030-03-17T17:46:10.500Z"}'),
            beat(b"turnstile-outbox", b"Struct{connector=turnstile-outbox,at=2030-03-17T17:45:40.000000Z}"),
            beat(b"\xff", b"2030-03-17T17:46:40Z"),
            SimpleNamespace(headers=[], value=b"2030-03-17T17:46:40Z", timestamp=round(NOW * 1000)),
            beat(b"turnstile-account", None),
        )
    )
    watch.look()
    # Nothing came through the account's: it is silent at least since the oldest row that did come.
    assert watch.ages() == {"turnstile-event": 29.5, "turnstile-outbox": 60.0, "turnstile-account": 100.0}
    assert watch.written("turnstile-outbox") == NOW - 60
    assert watch.written("turnstile-account") == 0


@pytest.mark.parametrize("at", [b"2030-13-17T17:46:30Z", b"0000-01-01T00:00:00Z", b"2030-03-17T17:46:30+99:00"])
def test_a_row_without_a_time_is_none(now: list[float], at: bytes) -> None:
    watch = watch_of(Records(beat(b"turnstile-event", at), beat(b"turnstile-event", b"2030-03-17T17:46:30Z")))
    watch.look()
    assert watch.ages()["turnstile-event"] == 10.0


def test_only_the_rows_of_these_connectors_are_kept(now: list[float]) -> None:
    watch = watch_of(Records(*(beat(b"other %d" % number, b"2030-03-17T17:46:30Z") for number in range(9))))
    watch.look()
    assert watch._written == {}


def test_a_row_from_the_future_hides_no_silence(now: list[float]) -> None:
    """Somebody wrote it, or PostgreSQL's clock was ahead and was set back since."""
    watch = watch_of(
        Records(
            beat(b"turnstile-event", b"9998-12-31T00:00:00Z", NOW - 30),
            beat(b"turnstile-account", b"2030-03-17T19:00:00Z", NOW - 20),
            beat(b"turnstile-account", b"2030-03-17T17:46:30Z", NOW - 10),
        )
    )
    watch.look()
    now[0] += 100
    assert watch.ages() == {"turnstile-event": 130.0, "turnstile-account": 110.0, "turnstile-outbox": 130.0}


def test_where_no_row_has_come_at_all_all_are_silent_since_the_first_look(now: list[float]) -> None:
    watch = watch_of(Records())
    watch.look()
    now[0] += LATE_AFTER_S + 1
    assert set(watch.ages().values()) == {LATE_AFTER_S + 1}
    assert [lateness(age) for age in (LATE_AFTER_S, LATE_AFTER_S + 1)] == [
        "",
        "late: no row has come through it for 61 s",
    ]


def test_a_broker_that_fails_is_connected_to_anew() -> None:
    consumer = Records(KafkaError("gone"))
    watch = watch_of(consumer)
    with pytest.raises(KafkaError):
        watch.look()
    assert (consumer.closed, watch._consumer) == (True, None)

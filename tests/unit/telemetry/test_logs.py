"""Each event is one log line, with the record concerned and no personal data."""

import io
import json
import logging
import logging.config
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from psycopg.errors import UniqueViolation

from telemetry.logs import Format, LineFormatter, configure_logging
from telemetry.redaction import TEXT_MAX_CHARS, redact, redacted_error
from tests.hostile import HALVES

ADDRESS, NAME, PASSWORD = "ada.byron+x@home.example", "Ada Byron", "correct horse battery"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJBZGEifQ.c2lnbmF0dXJl"
PERSONAL = (ADDRESS, NAME, "Byron", PASSWORD, TOKEN, TOKEN[-10:])

FORMS: tuple[Format, ...] = ("text", "json")
Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """The logged JSON, after ``configure_logging``."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    out = io.StringIO()
    monkeypatch.setattr(sys, "__stdout__", out)
    configure_logging("info", "json", "sales-0", lambda: {"agent": "sales", "records": "ticket-purchase[1]@5"})
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logging.captureWarnings(False)
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before


def test_a_line_has_its_time_level_part_and_what_it_is_about(lines: Read) -> None:
    logging.getLogger("streams.mail.mailer").info("refused (%s)", 450, extra={"purchase": "p", "record": "t[1]@2"})
    [line] = lines()
    at = line.pop("at")
    assert at.endswith("Z")
    assert line == {
        "level": "info",
        "part": "sales-0",
        "logger": "streams.mail.mailer",
        "message": "refused (450)",
        "agent": "sales",
        "records": "ticket-purchase[1]@5",
        "record": "t[1]@2",
        "purchase": "p",
    }


def test_an_event_is_one_line_whatever_stands_in_it(lines: Read) -> None:
    try:
        raise ValueError(f"first line\nsecond line of {NAME}")
    except ValueError:
        logging.getLogger("api.web.error_handlers").exception("%s failed\nbadly", "/path")
    [line] = lines()
    assert line["message"] == "/path failed\nbadly"
    assert line["error"] == "ValueError: first line"
    assert line["stack"][-1].startswith("telemetry/test_logs.py:")


def test_the_cause_of_an_error_is_told_before_it(lines: Read) -> None:
    try:
        try:
            raise KeyError(NAME)
        except KeyError as error:
            raise RuntimeError("above") from error
    except RuntimeError:
        logging.getLogger("api").exception("it")
    [line] = lines()
    assert line["error"] == "RuntimeError: above"
    assert [frame.partition(":")[0] for frame in line["stack"]].index("KeyError") == 1


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"mail to {ADDRESS}, now", "mail to <address>, now"),
        ("<u\u0308ser@bu\u0308yer.example>", "<<address>>"),
        ("(юзер@пример.рф) said.", "(<address>) said."),
        ("postgresql://turnstile:geheim@127.0.0.1:5432/turnstile", "postgresql://<login>@127.0.0.1:5432/turnstile"),
        (f"Authorization: Bearer {TOKEN}", "Authorization: <token>"),
        (f"token {TOKEN}.", "token <token>."),
        ("GET /links/hold?since=1&link=AAAAAHG3ys.UoM_7r-2 failed", "GET /links/hold?since=1&link=<token> failed"),
        ("ticket-commands[3]@17 to ticket-commands[3]@19", "ticket-commands[3]@17 to ticket-commands[3]@19"),
    ],
)
def test_addresses_and_secrets_are_taken_out(text: str, left: str) -> None:
    assert redact(text).rstrip(".") == left.rstrip(".")


@pytest.mark.parametrize(
    "error",
    [
        UniqueViolation(f'duplicate key value violates "account_email"\nDETAIL:  Key (email)=({ADDRESS}) exists.'),
        UniqueViolation(f'invalid input syntax for type uuid: "{NAME}"\nLINE 1: {PASSWORD}'),
        UnicodeDecodeError("utf-8", NAME.encode() + b"\xff", 9, 10, "invalid start byte"),
        KeyError(NAME),
        ValueError(f"Invalid enum value '{NAME}' - at `$.kind`"),
        ValueError(f"input_value={{'password': '{PASSWORD}', \"name\": \"{NAME}\"}}, input_type=dict"),
        ConnectionError(f"postgresql://{NAME.replace(' ', '')}:geheim@10.0.0.1/turnstile"),
    ],
)
def test_of_an_exception_nothing_personal_is_kept_however_it_is_logged(error: Exception, lines: Read) -> None:
    log = logging.getLogger("streams.runtime.failures")
    log.warning("projecting sales failed: %r", error)
    log.warning("projecting sales failed: %s", error)
    log.error("failed", exc_info=error)
    sys.excepthook(type(error), error, None)
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: %s", f"<Task exception={error!r}>")
    told = lines()
    assert len(told) == 5
    assert all(type(error).__name__ in json.dumps(line) for line in told[:4])
    shown = json.dumps(told[:4])
    assert not [word for word in (*PERSONAL, "AdaByron", "geheim") if word in shown], redacted_error(error)
    assert not [word for word in PERSONAL if word in told[4]["message"]] or not isinstance(error, KeyError)


def test_what_ends_a_thread_or_the_process_is_one_line_too(lines: Read) -> None:
    def fall() -> None:
        raise ValueError(f"'{NAME}'")

    thread = threading.Thread(target=fall)
    thread.start()
    thread.join()
    [line] = lines()
    assert (line["level"], line["error"]) == ("critical", "ValueError: …")


def test_text_is_for_people_and_says_the_same() -> None:
    record = logging.makeLogRecord({"name": "streams.mail.mailer", "levelname": "INFO", "msg": "sent", "job": "j"})
    line = LineFormatter("text", "notifications-0").format(record)
    assert line.partition(" ")[2] == "info     notifications-0: sent job=j"


@given(HALVES)
@example("a\r\n\x1b[2J\u2028\u202eb\0\ud800")
@example("\ud800\udfff")
def test_what_people_typed_ends_no_line_tells_a_terminal_nothing_and_is_read_back_from_json(typed: str) -> None:
    values = {
        "name": "streams.mail.mailer",
        "levelname": "INFO",
        "msg": "%s",
        "args": (typed,),
        "key": typed,
        "path": typed,
    }
    record = logging.makeLogRecord(values)
    text, line = (LineFormatter(form, "mailer").format(record) for form in FORMS)
    assert text.isprintable()
    assert line.isprintable()
    told = json.loads(line)
    # In JSON two halves of a character side by side are the character.
    whole = redact(typed).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert told["message"] == told["key"] == told["path"] == whole


@pytest.mark.parametrize("form", FORMS)
def test_what_an_error_says_breaks_no_line_of_its_stack(form: Format) -> None:
    try:
        try:
            raise RuntimeError("a\x1b[2J\r\u2028b")
        except RuntimeError as error:
            raise ValueError("c\x1b[31m") from error
    except ValueError as error:
        record = logging.makeLogRecord({"name": "api", "exc_info": (type(error), error, None)})
    line = LineFormatter(form, "api").format(record)
    assert all(each.isprintable() for each in line.split("\n    "))


def test_a_long_text_is_cut_before_its_cost_grows_with_its_square() -> None:
    typed = "a" * (TEXT_MAX_CHARS - 5) + " ada@buyer.example"
    assert redact(typed) == "a" * (TEXT_MAX_CHARS - 5) + " …"
    assert redact("b " * TEXT_MAX_CHARS) == "b " * (TEXT_MAX_CHARS // 2) + "…"
    assert redact("a" * 5_000 + "@buyer.example") == "<address>"


def test_a_client_that_logs_each_attempt_is_heard_once_in_a_while(lines: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(logging.getLogger().handlers[0].filters[0]._limit, "_clock", lambda: now[0])  # type: ignore[union-attr]
    aiokafka = logging.getLogger("aiokafka.client")
    for _ in range(500):
        aiokafka.error("Unable connect to node with id %s: %s", 1, ConnectionRefusedError(111, "Connection refused"))
        aiokafka.error("Unable to update metadata from %s", [1])
        aiokafka.error("Unable to read: %s")
    now[0] += 31
    aiokafka.error("Unable to update metadata from %s", [1])
    aiokafka.error("Unable to read: %s")
    for _ in range(3):
        aiokafka.info("joined")
        logging.getLogger("streams.runtime.health").error("no progress for %d s", 30)
    told = [line["message"] for line in lines()]
    assert [each for each in told if each.startswith("Unable to")] == [
        "Unable to update metadata from [1]",
        "Unable to read: %s",
        "Unable to update metadata from [1] (and 499 times since the last such line)",
        "Unable to read: %s (and 499 times since the last such line)",
    ]
    assert len(told) == 5 + 6

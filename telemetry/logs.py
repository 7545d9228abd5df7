"""Logs: one line per event, as JSON or text, with the record concerned and without personal data.

An exception's text may contain anything: only its first line is logged, without quoted values.
"""

import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal

from telemetry.escapes import escaped, escaped_json
from telemetry.rate_limited import RateLimitedClients
from telemetry.redaction import redact, redacted_error

# The fields of a line beside its message, from `extra` of a call or from the context of the process.
FIELDS: Final = (
    "agent",
    "records",
    "record",
    "key",
    "event",
    "purchase",
    "job",
    "trace",
    "method",
    "path",
    "status",
    "ms",
    "reason",
)
# These clients log every attempt while a server is down. Our callers log it once.
SILENCED_LOGGERS: Final = ("kafka", "psycopg.pool", "elastic_transport", "httpx", "httpcore", "opentelemetry")
# So does this one, a hundred times a second; what it tells of the consumer group nobody else does.
LIMITED_LOGGERS: Final = ("aiokafka",)
OWN_LOGGERS: Final = ("streams.", "api.", "connect.", "migrations.", "ops.", "stack.", "telemetry.")
STACK_MAX_FRAMES: Final = 30

Format = Literal["json", "text"]
Context = Callable[[], Mapping[str, object]]
Event = dict[str, Any]


class LineFormatter(logging.Formatter):
    """Formats a record as a line. ``context`` returns what the process is working on, as some of FIELDS."""

    def __init__(self, form: Format = "json", part: str = "", context: Context = dict) -> None:
        super().__init__()
        self._write = _json if form == "json" else _text
        self._part = part
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break."""
        event: Event = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "part": self._part,
            "logger": record.name,
            "message": redact(_message(record), quoted=not record.name.startswith(OWN_LOGGERS)),
        }
        fields = {**self._context(), **record.__dict__}
        event |= {name: _field_value(fields[name]) for name in FIELDS if fields.get(name) is not None}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            event |= {"error": redacted_error(error), "stack": _stack(error)}
        return self._write(event)


def configure_logging(level: str, form: Format, part: str, context: Context = dict) -> None:
    """Log to standard output in lines, including warnings and uncaught exceptions."""
    handler = logging.StreamHandler(sys.__stdout__)
    handler.setFormatter(LineFormatter(form, part, context))
    handler.addFilter(RateLimitedClients(LIMITED_LOGGERS))
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    for name in SILENCED_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None and not isinstance(error, (KeyboardInterrupt, SystemExit)):
        logging.getLogger(__name__).critical("ended by an uncaught error", exc_info=(kind, error, trace))


class _RedactedText(str):
    """An exception's redacted text, the same for `%s` and `%r`."""

    __slots__ = ()
    __repr__ = str.__str__


def _message(record: logging.LogRecord) -> str:
    arguments = record.args
    if isinstance(arguments, tuple):
        arguments = tuple(
            _RedactedText(redacted_error(each)) if isinstance(each, BaseException) else each for each in arguments
        )
    text = str(record.msg)
    return text % arguments if arguments else text


def _stack(error: BaseException) -> list[str]:
    """The frames of an error, innermost last, with those of its causes before."""
    frames: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        frames = [*_frames(cause), *([redacted_error(cause)] if cause is not error else []), *frames]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return frames[-STACK_MAX_FRAMES:]


def _frames(error: BaseException) -> list[str]:
    places = traceback.extract_tb(error.__traceback__)
    return [f"{'/'.join(place.filename.split('/')[-2:])}:{place.lineno} {place.name}" for place in places]


def _field_value(value: object) -> object:
    return value if isinstance(value, (int, float)) else redact(str(value))


def _json(event: Event) -> str:
    return escaped_json(json.dumps(event, ensure_ascii=False))


def _text(event: Event) -> str:
    more = {name: value for name, value in event.items() if name in FIELDS or name == "error"}
    columns = [event["at"], f"{event['level']:<8}", f"{event['part']}:", escaped(event["message"])]
    columns += [f"{name}={escaped(str(value))}" for name, value in more.items()]
    return " ".join([*columns, *(f"\n    {escaped(frame)}" for frame in event.get("stack", ()))])

"""Logs: one line an event, as JSON or to be read, with the record that it is about, and nothing personal.

What an exception says may be anybody's: of its text the first line is kept, without what stands in quotation marks.
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
from telemetry.redaction import harmless, said

# What a line may tell beside its message: `extra` of a call, and the context of the process.
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
# Servers that are down are told of once, by whoever misses them; these clients say it for every attempt.
CHATTY: Final = ("kafka", "psycopg.pool", "elastic_transport", "httpx", "httpcore", "opentelemetry")
OURS: Final = ("streams.", "api.", "connect.", "migrations.", "ops.", "stack.", "telemetry.")
MOST_FRAMES: Final = 30

Format = Literal["json", "text"]
Context = Callable[[], Mapping[str, object]]
Event = dict[str, Any]


class Lines(logging.Formatter):
    """Makes a line of a record. ``context`` tells what the process is at, as some of FIELDS."""

    def __init__(self, form: Format = "json", part: str = "", context: Context = dict) -> None:
        super().__init__()
        self._write = _json if form == "json" else _text
        self._part = part
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        event: Event = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "part": self._part,
            "logger": record.name,
            "message": harmless(_message(record), quoted=not record.name.startswith(OURS)),
        }
        told = {**self._context(), **record.__dict__}
        event |= {name: _plain(told[name]) for name in FIELDS if told.get(name) is not None}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            event |= {"error": said(error), "stack": _stack(error)}
        return self._write(event)


def configure(level: str, form: Format, part: str, context: Context = dict) -> None:
    """Let everything that this process logs go to standard output, in lines; what nobody caught too."""
    handler = logging.StreamHandler(sys.__stdout__)
    handler.setFormatter(Lines(form, part, context))
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None and not isinstance(error, (KeyboardInterrupt, SystemExit)):
        logging.getLogger(__name__).critical("ended by an error that nobody caught", exc_info=(kind, error, trace))


class _Said(str):
    """What is kept of an exception's text, however a message has it written."""

    __slots__ = ()
    __repr__ = str.__str__


def _message(record: logging.LogRecord) -> str:
    arguments = record.args
    if isinstance(arguments, tuple):
        arguments = tuple(_Said(said(each)) if isinstance(each, BaseException) else each for each in arguments)
    text = str(record.msg)
    return text % arguments if arguments else text


def _stack(error: BaseException) -> list[str]:
    """Where an error came from, the deepest place last; causes come before what they caused."""
    frames: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        frames = [*_frames(cause), *([said(cause)] if cause is not error else []), *frames]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return frames[-MOST_FRAMES:]


def _frames(error: BaseException) -> list[str]:
    places = traceback.extract_tb(error.__traceback__)
    return [f"{'/'.join(place.filename.split('/')[-2:])}:{place.lineno} {place.name}" for place in places]


def _plain(value: object) -> object:
    return value if isinstance(value, (int, float)) else harmless(str(value))


def _json(event: Event) -> str:
    return escaped_json(json.dumps(event, ensure_ascii=False))


def _text(event: Event) -> str:
    more = {name: value for name, value in event.items() if name in FIELDS or name == "error"}
    words = [event["at"], f"{event['level']:<8}", f"{event['part']}:", escaped(event["message"])]
    words += [f"{name}={escaped(str(value))}" for name, value in more.items()]
    return " ".join([*words, *(f"\n    {escaped(frame)}" for frame in event.get("stack", ()))])

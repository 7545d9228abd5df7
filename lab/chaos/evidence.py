"""The evidence of a run, as plain JSON: what the checker reads, and what the report folder keeps."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

Json = dict[str, Any]

FILE: Final = "evidence/{}.jsonl.gz"
HISTORY: Final = "history.jsonl"


class Record(NamedTuple):
    """A record of a topic; ``at`` in ms; ``headers`` are pairs of texts."""

    partition: int
    offset: int
    at: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Evidence:
    """The client's history and workload, every topic, table, view, document, mail and payment after the run.

    ``topics`` and ``tables`` are by name, ``views`` and ``sections`` (of halls) by the event's id, ``documents``
    by theirs. ``books`` are the provider's.
    """

    run: Json = field(default_factory=dict)
    history: list[Json] = field(default_factory=list)
    workload: list[Json] = field(default_factory=list)
    shows: list[Json] = field(default_factory=list)
    people: list[Json] = field(default_factory=list)
    topics: dict[str, list[Record]] = field(default_factory=dict)
    tables: dict[str, list[Json]] = field(default_factory=dict)
    views: dict[str, Json | None] = field(default_factory=dict)
    purchases: dict[str, Json | None] = field(default_factory=dict)
    sections: dict[str, list[Json]] = field(default_factory=dict)
    documents: dict[str, Json] = field(default_factory=dict)
    mails: list[Json] = field(default_factory=list)
    books: list[Json] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write everything into ``folder`` but the history, which is there already."""
        for each in fields(self):
            if each.name != "history":
                _write(folder / FILE.format(each.name), _rows(each.name, getattr(self, each.name)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote. Raises OSError if it isn't there."""
        found = cls()
        with (folder / HISTORY).open(encoding="utf-8") as file:
            found.history = [json.loads(line) for line in file]
        for each in fields(cls):
            if each.name != "history":
                setattr(found, each.name, _read(each.name, folder / FILE.format(each.name)))
        return found


def _rows(name: str, value: Any) -> Iterator[Any]:
    if name == "topics":
        for topic, records in value.items():
            yield from ([topic, *_text(record)] for record in records)
    elif isinstance(value, dict):
        yield from ([key, each] for key, each in value.items())
    else:
        yield from value


def _text(record: Record) -> list[Any]:
    """A record as JSON can hold it: bytes as hexadecimal digits."""
    value = None if record.value is None else record.value.hex()
    return [record.partition, record.offset, record.at, record.key.hex(), value, record.headers]


def _write(path: Path, rows: Iterable[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", compresslevel=4, encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def _read(name: str, path: Path) -> Any:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    if name == "topics":
        topics: dict[str, list[Record]] = {}
        for topic, partition, offset, at, key, value, headers in rows:
            pairs = tuple((header, text) for header, text in headers)
            found = None if value is None else bytes.fromhex(value)
            topics.setdefault(topic, []).append(Record(partition, offset, at, bytes.fromhex(key), found, pairs))
        return topics
    return rows if name in ("workload", "shows", "people", "mails", "books") else dict(rows)

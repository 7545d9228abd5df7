"""The search index behind its alias: creating it, writing to it, replacing it.

Every write has the row's version as its external version: Elasticsearch rejects an older one.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError, NotFoundError
from msgspec import Struct, field

from connect.client_options import NO_INDEX, elasticsearch_options
from settings import Settings
from streams.search.mapping import ALIAS, VERSION, document, index_body, marker
from tables.errors import MalformedRecord, TurnstileError
from tables.messages.row_changes import EventRow

FIRST_INDEX: Final = f"{ALIAS}-1"
TIMEOUT_S: Final = 20.0
MULTIPLE_CHOICES, BAD_REQUEST, CONFLICT, TOO_LARGE = 300, 400, 409, 413
# Of a bad request, the error types that are about the index and not about the document.
NOT_ABOUT_DOCUMENTS: Final = frozenset({"index_closed_exception"})
BULK_FIELDS: Final = "items.*._id,items.*.status,items.*.error.type,items.*.error.reason"
# Elasticsearch rejects requests of more than 100 MB.
BULK_MAX_BYTES: Final = 16 * 2**20
_NUMBERED: Final = re.compile(rf"{ALIAS}-(\d+)")

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class NotIndexed(TurnstileError):
    """Elasticsearch could not index some documents for now."""


class WrongMapping(TurnstileError):
    """The index has another version's mapping; ``make reindex`` builds one with ours."""


class UnexpectedAnswer(TurnstileError):
    """What answered is not Elasticsearch, for now: it may be a proxy in front of it."""


TRANSIENT: Final = (TransportError, ApiError, NotIndexed, WrongMapping, UnexpectedAnswer)


class ItemError(Struct):
    """Why a document was not indexed."""

    type: str | None = None
    reason: str | None = None


class IndexItem(Struct):
    """The result for a document."""

    id: str = field(name="_id")
    status: int
    error: ItemError = field(default_factory=ItemError)


class BulkItem(Struct):
    """The result for an operation, all of which index a document."""

    index: IndexItem


class BulkAnswer(Struct):
    """The answer to a bulk request."""

    items: list[BulkItem]


class IndexMeta(Struct):
    """What this module stores in a mapping; both are None in an index of others."""

    version: int | None = None
    floor: int | None = None


class IndexMapping(Struct):
    """A mapping, without its fields."""

    meta: IndexMeta = field(name="_meta", default_factory=IndexMeta)


class MappedIndex(Struct):
    """An index behind the alias."""

    mappings: IndexMapping = field(default_factory=IndexMapping)


class NamedIndex(Struct):
    """An index and what leads to it."""

    aliases: dict[str, Any]


class BuiltIndex(NamedTuple):
    """An index, and the WAL position ``floor`` up to which it has all changes since it was built."""

    name: str
    floor: int


def make_elasticsearch(settings: Settings) -> AsyncElasticsearch:
    """A client with the settings, without retries, which are the caller's."""
    return AsyncElasticsearch(**elasticsearch_options(settings, TIMEOUT_S))


class SearchIndex:
    """The indices ``events-1``, ``events-2``, …, one of which is behind the alias."""

    def __init__(self, client: AsyncElasticsearch, bulk_max_bytes: int = BULK_MAX_BYTES) -> None:
        self._client = client
        self._bulk_max_bytes = bulk_max_bytes

    async def current(self) -> BuiltIndex:
        """The index behind the alias, created if there is none. Safe to call concurrently.

        Raises WrongMapping where the index is of another version.
        """
        return await self._find() or await self._create_first()

    async def _find(self) -> BuiltIndex | None:
        try:
            found = await self._client.indices.get_mapping(index=ALIAS, filter_path="*.mappings._meta,error")
        except NotFoundError as error:
            if error.error != NO_INDEX:
                raise
            return None
        indices = _read(found, dict[str, MappedIndex])
        if len(indices) != 1:
            raise WrongMapping(f"alias {ALIAS} is of {', '.join(sorted(indices))}: run `make reindex`")
        [(name, index)] = indices.items()
        meta = index.mappings.meta
        if meta.version != VERSION or meta.floor is None:
            has = meta.version or "none of ours"
            raise WrongMapping(f"index {name} has mapping {has}, this worker writes {VERSION}: run `make reindex`")
        return BuiltIndex(name, meta.floor)

    async def _create_first(self) -> BuiltIndex:
        log.warning("no search index found, creating one; if there was one before, `make reindex` fills it")
        try:
            await self._client.indices.create(index=FIRST_INDEX, aliases={ALIAS: {}}, **index_body(floor=0))
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
            # Another worker was faster, or only the alias was lost; the index keeps its documents.
            await self._client.indices.put_alias(index=FIRST_INDEX, name=ALIAS)
        return BuiltIndex(FIRST_INDEX, 0)

    async def create_next(self, floor: int) -> BuiltIndex:
        """Create an empty index without alias, and delete others without one."""
        numbers = [1]
        found = _read(await self._client.indices.get_alias(index=f"{ALIAS}-*"), dict[str, NamedIndex])
        for name, index in found.items():
            match = _NUMBERED.fullmatch(name)
            if match:
                numbers.append(int(match[1]))
            if match and not index.aliases:
                await self._client.indices.delete(index=name)
        name = f"{ALIAS}-{max(numbers) + 1}"
        await self._client.indices.create(index=name, **index_body(floor))
        return BuiltIndex(name, floor)

    async def swap(self, name: str) -> list[str]:
        """Put ``name`` behind the alias, atomically. Gives the indices that were behind it."""
        await self._client.indices.refresh(index=name)
        try:
            before = list(_read(await self._client.indices.get_alias(name=ALIAS), dict[str, NamedIndex]))
        except NotFoundError:
            before = []
        removed = [{"remove": {"index": each, "alias": ALIAS}} for each in before]
        await self._client.indices.update_aliases(actions=[*removed, {"add": {"index": name, "alias": ALIAS}}])
        return before

    async def delete(self, name: str) -> None:
        await self._client.indices.delete(index=name)

    async def write(self, changes: Mapping[str, EventRow], target: str = ALIAS) -> dict[str, MalformedRecord]:
        """Index rows unless newer ones are there. Gives the rows that can't be indexed, with the reason.

        These are no longer found, since their old documents are outdated. Raises one of TRANSIENT where
        a retry may work; writing all again does no harm.
        """
        refused: dict[str, MalformedRecord] = {}
        lines: list[Any] = []  # encoded here, and only once: that is half of the work
        size = 0
        for key, row in changes.items():
            try:
                made = _encode(document(row))
            except MalformedRecord as error:
                refused[key] = error
                continue
            if size + len(made) > self._bulk_max_bytes:
                refused |= await self._bulk(lines, target)
                lines, size = [], 0
            lines += [_action(key, row), made]
            size += len(made)
        refused |= await self._bulk(lines, target)
        if unmarked := await self._bulk(_markers({key: changes[key] for key in refused}), target):
            raise NotIndexed(f"not even that an event is gone is taken: {next(iter(unmarked.items()))}")
        return refused

    async def _bulk(self, lines: list[Any], target: str) -> dict[str, MalformedRecord]:
        if not lines:
            return {}
        try:
            answer = await self._client.bulk(
                index=target, operations=lines, require_alias=target == ALIAS, filter_path=BULK_FIELDS
            )
        except ApiError as error:
            if error.status_code != TOO_LARGE:
                raise
            return await self._bulk_in_halves(lines, target)
        results = [item.index for item in _read(answer, BulkAnswer).items]
        if 2 * len(results) != len(lines):
            raise UnexpectedAnswer(f"{len(results)} results for {len(lines) // 2} documents")
        return refusals(results)

    async def _bulk_in_halves(self, lines: list[Any], target: str) -> dict[str, MalformedRecord]:
        """Write what is too large for one request: a proxy in front of Elasticsearch may take less."""
        half = len(lines) // 4 * 2
        if not half:
            key = msgspec.json.decode(lines[0])["index"]["_id"]
            return {key: MalformedRecord(f"a document of {len(lines[1])} bytes is too large for Elasticsearch's proxy")}
        return await self._bulk(lines[:half], target) | await self._bulk(lines[half:], target)


def _markers(changes: Mapping[str, EventRow]) -> list[Any]:
    pairs = ((_action(key, row), _encode(marker(row))) for key, row in changes.items())
    return [line for pair in pairs for line in pair]


def _action(key: str, row: EventRow) -> bytes:
    return _encode({"index": {"_id": key, "version": row.version, "version_type": "external"}})


def refusals(results: list[IndexItem]) -> dict[str, MalformedRecord]:
    """The documents that Elasticsearch rejects. Raises NotIndexed where a retry may work.

    Only a bad request is about the document. A blocked index, for one, is forbidden (403) until its disk has room.
    """
    refused = {}
    for result in results:
        if result.status < MULTIPLE_CHOICES or result.status == CONFLICT:
            continue
        error = result.error
        if result.status != BAD_REQUEST or error.type in NOT_ABOUT_DOCUMENTS:
            raise NotIndexed(f"{result.id}: {result.status} {error.type}: {error.reason}")
        refused[result.id] = MalformedRecord(f"{error.type}: {error.reason}")
    return refused


def _read(answer: Any, shape: type[Answer]) -> Answer:
    """The answer in that shape. Raises UnexpectedAnswer."""
    try:
        return msgspec.convert(getattr(answer, "body", answer), shape)
    except msgspec.ValidationError as error:
        raise UnexpectedAnswer(f"this is not an answer of Elasticsearch: {error}") from error

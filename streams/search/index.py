"""The search index behind the alias: making it, writing to it, putting another in its place.

Every write carries an external version, the change's log position: Elasticsearch refuses an older one.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError, NotFoundError

from settings import Settings
from streams.runtime.row_changes import EventRow
from streams.search.mapping import ALIAS, VERSION, document, index_body, marker
from tables.errors import MalformedRecord, TurnstileError

FIRST: Final = f"{ALIAS}-1"
TIMEOUT_S: Final = 20.0
OK, CONFLICT, NOT_FOUND, TOO_MANY, SERVER_ERROR = 200, 409, 404, 429, 500
ANSWERED: Final = "items.*._id,items.*.status,items.*.error.type,items.*.error.reason"
# Elasticsearch refuses a request of more than 100 MB for good, however often it is tried.
BULK_MAX_BYTES: Final = 16 * 2**20
_NUMBERED: Final = re.compile(rf"{ALIAS}-(\d+)")

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class NotIndexed(TurnstileError):
    """Elasticsearch could not take some documents now."""


class WrongMapping(TurnstileError):
    """The index has the mapping of another version; ``make reindex`` builds one that fits."""


PASSING: Final = (TransportError, ApiError, NotIndexed, WrongMapping)


class Standing(NamedTuple):
    """An index, and the place in the log that it was built from: it has all that lies there or before."""

    name: str
    floor: int


class Version(NamedTuple):
    """A row as of a place in the log: what is written as one."""

    position: int
    row: EventRow


def make_elasticsearch(settings: Settings) -> AsyncElasticsearch:
    """A client by the settings; it does not retry, since who calls does."""
    password = settings.elasticsearch_password
    options: dict[str, Any] = {}
    if settings.elasticsearch_user and password:
        options["basic_auth"] = (settings.elasticsearch_user, password.get_secret_value())
    if settings.elasticsearch_ca:
        options["ca_certs"] = str(settings.elasticsearch_ca)
    return AsyncElasticsearch(
        settings.elasticsearch_url, request_timeout=TIMEOUT_S, max_retries=0, retry_on_timeout=False, **options
    )


class SearchIndex:
    """The indices ``events-1``, ``events-2``, … of which one stands behind the alias."""

    def __init__(self, client: AsyncElasticsearch) -> None:
        self._client = client

    async def standing(self) -> Standing:
        """The index behind the alias; made if there is none. Any number may ask at once.

        Raises WrongMapping where documents of this version don't fit.
        """
        return await self._current() or await self._make_first()

    async def _current(self) -> Standing | None:
        try:
            found = await self._client.indices.get_mapping(index=ALIAS, filter_path="*.mappings._meta")
        except NotFoundError:
            return None
        if len(found) != 1:
            raise WrongMapping(f"alias {ALIAS} stands for {', '.join(sorted(found))}: run `make reindex`")
        [(name, index)] = found.items()
        meta = index.get("mappings", {}).get("_meta", {})
        if meta.get("version") != VERSION:
            has = meta.get("version", "none of ours")
            raise WrongMapping(f"index {name} has mapping {has}, this worker writes {VERSION}: run `make reindex`")
        return Standing(str(name), int(meta["floor"]))

    async def _make_first(self) -> Standing:
        log.warning("there is no search index, making one; if there was one before, `make reindex` fills it")
        try:
            await self._client.indices.create(index=FIRST, aliases={ALIAS: {}}, **index_body(floor=0))
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
            # Another worker was faster, or the alias alone was lost; the index keeps what it has.
            await self._client.indices.put_alias(index=FIRST, name=ALIAS)
        return Standing(FIRST, 0)

    async def make_next(self, floor: int) -> Standing:
        """Make an empty index that nobody sees yet, and delete others that nobody sees."""
        numbers = [1]
        for name, index in (await self._client.indices.get_alias(index=f"{ALIAS}-*")).items():
            match = _NUMBERED.fullmatch(name)
            if match:
                numbers.append(int(match[1]))
            if match and not index["aliases"]:
                await self._client.indices.delete(index=name)
        name = f"{ALIAS}-{max(numbers) + 1}"
        await self._client.indices.create(index=name, **index_body(floor))
        return Standing(name, floor)

    async def swap(self, name: str) -> list[str]:
        """Put ``name`` behind the alias, in one step; the indices that stood there."""
        await self._client.indices.refresh(index=name)
        try:
            before = list(await self._client.indices.get_alias(name=ALIAS))
        except NotFoundError:
            before = []
        gone = [{"remove": {"index": each, "alias": ALIAS}} for each in before]
        await self._client.indices.update_aliases(actions=[*gone, {"add": {"index": name, "alias": ALIAS}}])
        return before

    async def delete(self, name: str) -> None:
        """Delete an index."""
        await self._client.indices.delete(index=name)

    async def write(self, changes: Mapping[str, Version], target: str = ALIAS) -> dict[str, MalformedRecord]:
        """Index rows unless newer ones are there; those that no document can be made of, with the reason.

        These are no longer found, since what was told of them before is not true any more. Raises one of PASSING where
        it may work later; writing all of it again does no harm.
        """
        refused: dict[str, MalformedRecord] = {}
        lines: list[Any] = []  # as they go over the wire: encoding them is half of the work
        size = 0
        for key, (position, row) in changes.items():
            try:
                made = _encode(document(row))
            except MalformedRecord as error:
                refused[key] = error
                continue
            if size + len(made) > BULK_MAX_BYTES:
                refused |= await self._bulk(lines, target)
                lines, size = [], 0
            lines += [_action(key, position), made]
            size += len(made)
        refused |= await self._bulk(lines, target)
        await self._bulk(_markers({key: changes[key] for key in refused}), target)
        return refused

    async def _bulk(self, lines: list[Any], target: str) -> dict[str, MalformedRecord]:
        if not lines:
            return {}
        answer = await self._client.bulk(
            index=target, operations=lines, require_alias=target == ALIAS, filter_path=ANSWERED
        )
        return refusals([item["index"] for item in answer["items"]])

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


def _markers(changes: Mapping[str, Version]) -> list[Any]:
    pairs = ((_action(key, position), _encode(marker(row))) for key, (position, row) in changes.items())
    return [line for pair in pairs for line in pair]


def _action(key: str, position: int) -> bytes:
    return _encode({"index": {"_id": key, "version": position, "version_type": "external"}})


def refusals(items: list[dict[str, Any]]) -> dict[str, MalformedRecord]:
    """The documents that will never be taken. Raises NotIndexed for what may be taken later."""
    refused = {}
    for item in items:
        status = item["status"]
        if status in (TOO_MANY, NOT_FOUND) or status >= SERVER_ERROR:
            raise NotIndexed(f"{item['_id']}: {item['error']['reason']}")
        if status > OK + 99 and status != CONFLICT:
            refused[item["_id"]] = MalformedRecord(f"{item['error']['type']}: {item['error']['reason']}")
    return refused

"""The agent that keeps the search index equal to PostgreSQL, however changes are repeated or reordered.

A document's external version is the change's log position: Elasticsearch refuses an older one.
"""

from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError
from faust.types import Message, StreamT

from connect.topics import EVENT_ROWS
from settings import Settings
from streams.app import App, raw_topic
from streams.batches import in_batches
from streams.deadletters import bury, letter, sort_out
from streams.mapping import ALIAS, INDEX, INDEX_BODY, document
from streams.patience import patiently
from streams.rows import EventRow, decode_row
from tables.errors import MalformedRecord

CONSUMER = "indexer"
MOST = 500
TIMEOUT_S = 20.0

CONFLICT = 409
TOO_MANY = 429
SERVER_ERROR = 500


class NotIndexed(Exception):
    """Elasticsearch could not take some documents now."""


PASSING = (TransportError, ApiError, NotIndexed)


def make_elasticsearch(settings: Settings) -> AsyncElasticsearch:
    """A client by the settings; it does not retry, since the agent does."""
    password = settings.elasticsearch_password
    options: dict[str, Any] = {}
    if settings.elasticsearch_user and password:
        options["basic_auth"] = (settings.elasticsearch_user, password.get_secret_value())
    if settings.elasticsearch_ca:
        options["ca_certs"] = str(settings.elasticsearch_ca)
    return AsyncElasticsearch(
        settings.elasticsearch_url, request_timeout=TIMEOUT_S, max_retries=0, retry_on_timeout=False, **options
    )


class IndexerAgent:
    """Writes the row changes of ``event`` to Elasticsearch, in bulk."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._client: AsyncElasticsearch | None = None
        self._index_seen = False
        app.agent(raw_topic(app, EVENT_ROWS), name=CONSUMER, concurrency=1)(self._index_all)

    async def _index_all(self, stream: StreamT[bytes]) -> None:
        await in_batches(stream, self._handle, busy=self.app.busy, most=MOST, name=CONSUMER)

    async def _handle(self, messages: list[Message]) -> None:
        newest: dict[str, tuple[Message, EventRow]] = {}
        changes = [message for message in messages if message.value is not None]
        readable, letters = sort_out(changes, lambda value: decode_row(value, EventRow))
        for message, row in readable:
            known = newest.get(str(row.id))
            if known is None or row.lsn >= known[1].lsn:
                newest[str(row.id)] = (message, row)
        refused = await self._index(newest)
        letters += [letter(newest[key][0], error) for key, error in refused.items()]
        await bury(self.app, CONSUMER, letters)

    async def _index(self, newest: dict[str, tuple[Message, EventRow]]) -> dict[str, MalformedRecord]:
        """Index the rows, however long it takes; those that Elasticsearch will never take, with the reason."""

        async def attempt() -> dict[str, MalformedRecord]:
            await self._make_index()
            try:
                return await self._bulk(newest)
            except NotIndexed:
                self._index_seen = False  # it may be gone
                raise

        return await patiently(self.app, attempt, doing="indexing", passing=PASSING) if newest else {}

    async def _bulk(self, rows: dict[str, tuple[Message, EventRow]]) -> dict[str, MalformedRecord]:
        operations: list[dict[str, Any]] = []
        for key, (_, row) in rows.items():
            operations.append({"index": {"_id": key, "version": row.lsn, "version_type": "external"}})
            operations.append(document(row))
        answer = await self._elasticsearch().bulk(index=ALIAS, operations=operations, require_alias=True)
        return _refused([item["index"] for item in answer["items"]])

    async def _make_index(self) -> None:
        if self._index_seen:
            return
        client = self._elasticsearch()
        if not await client.indices.exists_alias(name=ALIAS):
            try:
                await client.indices.create(index=INDEX, **INDEX_BODY)
            except BadRequestError as error:
                if error.error != "resource_already_exists_exception":
                    raise
        self._index_seen = True

    def _elasticsearch(self) -> AsyncElasticsearch:
        if self._client is None:
            self._client = make_elasticsearch(self.app.settings)
        return self._client


def _refused(items: list[dict[str, Any]]) -> dict[str, MalformedRecord]:
    refused = {}
    for item in items:
        status = item["status"]
        if status in (TOO_MANY, 404) or status >= SERVER_ERROR:
            raise NotIndexed(f"{item['_id']}: {item['error']['reason']}")
        if status >= 400 and status != CONFLICT:
            refused[item["_id"]] = MalformedRecord(f"{item['error']['type']}: {item['error']['reason']}")
    return refused

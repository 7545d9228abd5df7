"""Search in Elasticsearch. Words are folded as the indexer folds them."""

import base64
import binascii
from typing import Any, Final

import msgspec
from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError

from api.bodies.search import FoundEvent, FoundEvents
from api.problems import Unavailable, wrong
from settings import Settings
from tables.folding import fold
from tables.statuses import EventStatus

ALIAS: Final = "events"
SERVER: Final = "elasticsearch"
TIMEOUT_S: Final = 2.0
_FIELDS: Final = ["folded.title^4", "folded.tags^2", "folded.city^2", "folded.venue^2", "folded.description"]


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where the next page begins, and for which words."""

    words: str
    after: list[float | int | str]


class EventIndex:
    """The alias ``events``."""

    def __init__(self, client: Elasticsearch) -> None:
        self._client = client

    def search(self, words: str, limit: int, cursor: str | None) -> FoundEvents:
        """One page of the events that have the words. Refused: invalid-input for a cursor of another search."""
        folded = fold(words)
        body: dict[str, Any] = {"size": limit, "query": query(folded), "sort": order(folded)}
        if cursor is not None:
            body["search_after"] = _after(cursor, folded)
        hits = self._search(body)
        items = [FoundEvent(**hit["_source"]) for hit in hits]
        more = len(hits) == limit
        return FoundEvents(items=items, next=encode_cursor(Cursor(folded, hits[-1]["sort"])) if more else None)

    def probe(self) -> None:
        """Raises unless the index answers."""
        self._search({"size": 0})

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _search(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            answer = self._client.search(
                index=ALIAS, source_excludes=["folded", "deleted"], track_total_hits=False, **body
            )
        except NotFoundError:
            # The indexer makes the index with the first event.
            return []
        except (TransportError, ApiError) as error:
            raise Unavailable(SERVER) from error
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
        return hits


def make_client(settings: Settings) -> Elasticsearch:
    """A client by the settings. It does not retry: the one who asks has little time."""
    options: dict[str, Any] = {}
    if settings.elasticsearch_user and settings.elasticsearch_password:
        options["basic_auth"] = (settings.elasticsearch_user, settings.elasticsearch_password.get_secret_value())
    if settings.elasticsearch_ca:
        options["ca_certs"] = str(settings.elasticsearch_ca)
    url = settings.elasticsearch_url
    return Elasticsearch(url, request_timeout=TIMEOUT_S, max_retries=0, retry_on_timeout=False, **options)


def query(folded: str) -> dict[str, Any]:
    """Events that the public may see and that have every word, the last of them perhaps only begun."""
    public: dict[str, Any] = {
        "filter": [{"term": {"deleted": False}}],
        "must_not": [{"term": {"status": EventStatus.DRAFT.value}}],
    }
    if folded:
        asked = {"query": folded, "fields": _FIELDS, "operator": "and"}
        public["should"] = [{"multi_match": asked | {"type": kind}} for kind in ("cross_fields", "bool_prefix")]
        public["minimum_should_match"] = 1
    return {"bool": public}


def order(folded: str) -> list[dict[str, str]]:
    """The best first; without words, the next first. The id makes the order total."""
    first = {"_score": "desc"} if folded else {"startsAt": "asc"}
    return [first, {"id": "asc"}]


def encode_cursor(cursor: Cursor) -> str:
    """The cursor as an opaque word."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _after(text: str, folded: str) -> list[float | int | str]:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, ValueError) as error:
        raise wrong("?cursor", "is no cursor of this search") from error
    if cursor.words != folded or [type(part) is str for part in cursor.after] != [False, True]:
        raise wrong("?cursor", "is no cursor of this search")
    return cursor.after

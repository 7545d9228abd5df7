"""What the OpenAPI document says of a web view, next to its handler."""

from typing import Any, Final, NamedTuple

from msgspec import defstruct

from streams.runtime.web_parameters import CURSOR_MAX_CHARACTERS, LIMIT_DEFAULT, LIMIT_MAX, WAIT_MAX_S

JSON: Final = "application/json"


class WebOperation(NamedTuple):
    """A view: its path, its answer's type and an example of it, its query's parameters; in the path are ids.

    ``has_revision`` if it has an ETag and can be waited for; ``role`` is that of the workers that have it.
    """

    path: str
    name: str
    summary: str
    answer: Any
    example: Any
    query: tuple[dict[str, Any], ...] = ()
    has_revision: bool = False
    media_type: str = JSON
    role: str = "ledger"


def page_of(items: str, view: Any) -> Any:
    """The type of a page of a list: ``EventsAnswer`` of ``page_of("events", EventView)``."""
    return defstruct(
        f"{items.capitalize()}Answer",
        [("items", list[view]), ("next", str | None)],
        namespace={"__doc__": f"A page of {items}."},
        frozen=True,
    )


def listed(item: Any, following: str | None = None) -> dict[str, Any]:
    """An example of a page of a list."""
    return {"items": [item], "next": following}


def query_parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """A parameter of the query, which may be left out."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


LIST_QUERY: Final = (
    query_parameter(
        "limit",
        "the largest number of items; a page may have fewer, though `next` leads on",
        type="integer",
        minimum=1,
        maximum=LIMIT_MAX,
        default=LIMIT_DEFAULT,
    ),
    query_parameter("cursor", "the `next` of the page before", type="string", maxLength=CURSOR_MAX_CHARACTERS),
)
WAIT_QUERY: Final = query_parameter(
    "wait", "seconds to wait until the answer differs from `If-None-Match`, or exists",
    type="number", minimum=0, maximum=WAIT_MAX_S,
)  # fmt: skip
IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "description": "the `ETag` of the answer that the client has",
    "schema": {"type": "string"},
}

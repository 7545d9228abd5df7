"""The parameter ``asOf`` of the views: an earlier moment of a partition's log."""

from typing import Final

from streams.runtime.timer import now_ms
from streams.runtime.web import Request
from streams.runtime.web_parameters import query_text
from streams.runtime.web_problems import invalid_parameter, unavailable
from tables.ledger.as_of import AsOf

AS_OF: Final = "asOf"


def query_as_of(request: Request) -> AsOf | None:
    """The moment in the query, or None. Raises RequestProblem."""
    text = query_text(request, AS_OF)
    try:
        return None if text is None else AsOf.read(text)
    except ValueError as error:
        raise invalid_parameter(AS_OF, str(error)) from error


def reached(as_of: AsOf, next_offset: int | None) -> int:
    """The next offset to decide. Raises RequestProblem for a moment that the ledger has not reached."""
    if next_offset is None:
        raise unavailable("the partition is not read yet")
    if as_of.offset is not None and as_of.offset >= next_offset:
        raise invalid_parameter(AS_OF, f"must be an offset below {next_offset}: the ledger has decided no further")
    if as_of.at is not None and as_of.at > now_ms():
        raise invalid_parameter(AS_OF, "must not be in the future")
    return next_offset

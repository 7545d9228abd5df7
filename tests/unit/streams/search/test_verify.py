"""Differences between index and PostgreSQL, row by row, and what repairs them."""

import json
from typing import Any

import pytest

from streams.search.mapping import document
from streams.search.postgres_snapshot import SourceRow
from streams.search.reindex import LISTED_MAX, summary
from streams.search.verify import FIX_ROW, Difference, difference
from tests.unit.streams.search.test_mapping import PLAIN


def row(**columns: Any) -> SourceRow:
    return SourceRow(PLAIN["id"], json.dumps(PLAIN | columns))


def test_an_equal_document_is_no_difference() -> None:
    assert difference(row(), document(row().decode())) is None


def test_a_missing_document_and_a_changed_one_are_repaired_by_reindexing() -> None:
    assert difference(row(), None) == Difference("is missing")
    assert difference(row(city="Graz"), document(row().decode())) == Difference("differs in city, folded, keys")


@pytest.mark.parametrize(
    ("column", "value"),
    [("tags", ["a", None]), ("time_zone", "Mars/Phobos"), ("ends_at", "9999-12-31T23:59:59.999999+00:00")],
)
@pytest.mark.parametrize("indexed", [True, False])
def test_a_row_that_cannot_be_told_is_reported_with_its_column_whatever_the_index_has(
    column: str, value: object, indexed: bool
) -> None:
    found = difference(row(**{column: value}), document(row().decode()) if indexed else None)
    assert found is not None
    assert (column in found.text, found.repair) == (True, FIX_ROW)


def test_a_build_names_the_first_events_that_it_left_out_and_counts_the_others() -> None:
    assert summary({}) == []
    assert summary({"a": "no zone"}) == ["event a can't be indexed: no zone"]
    assert summary({str(number): "x" for number in range(LISTED_MAX + 3)})[-1].startswith(
        "3 more events can't be indexed"
    )

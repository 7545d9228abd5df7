"""Tables to be saved (CSV, RFC 4180), written as they are read. No spreadsheet takes a cell of them for a formula."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from flask import Response

MEDIA_TYPE: Final = "text/csv"
ROWS_AT_ONCE: Final = 500
# What a spreadsheet may pass over, seen or not, before the sign that makes a formula, whatever width that has.
_PASSED: Final = r"[^\w!-~\t\r\n]*"
_SIGN: Final = "[=+@＝＋－＠﹦﹢﹣﹫-]"
# A cell begins, or begins where the spreadsheet cuts cells at semicolons or tabs.
_FORMULA: Final = re.compile(rf"(?:\A|(?<=[;\t\r\n]))(?='*(?:{_PASSED}{_SIGN}|[\t\r\n]))")


def csv_export(name: str, rows: Iterator[Sequence[object]]) -> Response:
    """The rows, the first of which tells the columns, as a file of that name, which nobody typed."""
    head = next(rows)
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(table(head, rows), 200, disposition, content_type=f"{MEDIA_TYPE}; charset=utf-8")


def table(head: Sequence[object], rows: Iterator[Sequence[object]]) -> Iterator[str]:
    """The rows as CSV, in pieces, as they are read."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(value) for value in row])
        if number % ROWS_AT_ONCE == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def cell(value: object) -> str:
    """A value as a spreadsheet shows it and never runs it: an apostrophe stands before what it would run."""
    return _FORMULA.sub("'", value.isoformat() if isinstance(value, datetime) else str(value))

"""CSV files (RFC 4180), streamed row by row. No spreadsheet takes a cell of them for a formula."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Final

from flask import Response

MEDIA_TYPE: Final = "text/csv"
# Excel reads a file without it in the encoding of its country.
BOM: Final = "\ufeff"
CHUNK_MAX_ROWS: Final = 500
# Characters that a spreadsheet may skip before the sign that begins a formula; the sign may be of full width.
_SKIPPED: Final = r"[^\w!-~\t\r\n]*"
_SIGN: Final = "[=+@＝＋－＠﹦﹢﹣﹫-]"
# At the begin of a cell, also for spreadsheets that split cells at semicolons or tabs.
_FORMULA: Final = re.compile(rf"(?:\A|(?<=[;\t\r\n]))(?='*(?:{_SKIPPED}{_SIGN}|[\t\r\n]))")


def csv_export(name: str, rows: Iterator[Sequence[object]]) -> Response:
    """The rows as a file; the first row has the column names. No user may choose ``name``."""
    head = next(rows)
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(chain([BOM], table(head, rows)), 200, disposition, content_type=f"{MEDIA_TYPE}; charset=utf-8")


def table(head: Sequence[object], rows: Iterator[Sequence[object]]) -> Iterator[str]:
    """The rows as CSV, in chunks."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(value) for value in row])
        if number % CHUNK_MAX_ROWS == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def cell(value: object) -> str:
    """A value as text, with an apostrophe before a text that a spreadsheet would run as a formula."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return _FORMULA.sub("'", value.isoformat() if isinstance(value, datetime) else str(value))

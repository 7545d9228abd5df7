"""The board: the state of the pipeline for administrators, updated by server-sent events."""

from flask import Blueprint, Response, make_response, render_template

from api.board.board_text import NOTHING
from api.board.snapshot import RatesReport
from api.pages.board_texts import said_in
from api.pages.charts import HEIGHT, WIDTH, axis_top, bars, line
from api.pages.language import language
from api.pages.part_texts import CONSUMERS, GUARANTEES, PARTS
from api.pages.pipeline_diagram import ARROWS, SIZE
from api.pages.runbook import runbook
from api.pages.status_labels import PAYMENT_LABELS
from api.ports.ports import ports
from api.web.deferred import streamed

board = Blueprint("board", __name__)


@board.get("/board")
def show_board() -> Response:
    """The whole board. Without script the page reloads every few seconds."""
    now = ports().in_loop(ports().board.glance())
    drawn = {"arrows": ARROWS, "size": SIZE, "plots": _plots(now.pace)}
    texts = {"parts": PARTS, "guarantees": GUARANTEES, "consumers": CONSUMERS, "nothing": NOTHING}
    return make_response(render_template("board.html", now=now, **drawn, **texts))


@board.get("/board/runbook")
def show_runbook() -> Response:
    """What to do about a part that is not well."""
    return make_response(render_template("runbook.html", text=runbook()))


@board.get("/board/payments")
def show_payments() -> Response:
    """The money of all payments, and those that wait for the ledger or the provider."""
    overview = ports().payments.overview(ports().clock())
    return make_response(render_template("board_payments.html", overview=overview, labels=PAYMENT_LABELS))


@board.get("/board/live")
def board_live() -> Response:
    """The snapshots of the board, one a second, until the server stops. Refused: busy."""
    return streamed(ports().board.frames(said_in(language())))


def _plots(pace: RatesReport) -> dict[str, object]:
    slowest = axis_top(pace.slowest)
    return {
        "box": f"0 0 {WIDTH} {HEIGHT}",
        "bars": bars(pace.counts),
        "most": axis_top(pace.counts),
        "median": line(pace.median, slowest),
        "slowest": line(pace.slowest, slowest),
        "longest": slowest,
    }

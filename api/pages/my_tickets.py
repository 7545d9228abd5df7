"""My tickets: the reader's purchases with their status, the newest first."""

from flask import Blueprint, Response, make_response, render_template, request

from api.ports.ports import ports
from api.web.authentication import caller

tickets = Blueprint("tickets", __name__)

PAGE_PURCHASES = 20


@tickets.get("/tickets")
def own_tickets() -> Response:
    """A page of the list."""
    page = ports().sales.of_account(caller().account, PAGE_PURCHASES, request.args.get("cursor"))
    events = {event: ports().events.get(event) for event in {item.event_id for item in page.items}}
    return make_response(render_template("tickets.html", page=page, events=events))

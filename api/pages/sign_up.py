"""Signing up: a form, then the link or the code from the mail. It never tells whether an address has an account."""

from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.accounts.address_confirmation import confirmed_by_code
from api.accounts.sign_up import sign_up as ask_for_account
from api.pages import sign_up_cookie
from api.pages.address_confirmation import confirmation_errors, finish
from api.pages.addresses import local_path
from api.pages.forms import field_errors, form_fields, parse_body
from api.pages.language import language
from api.problems import Refused
from api.schemas.account import Confirmation, NewAccount

signing_up = Blueprint("signing_up", __name__)

# An administrator may send more fields to the route; the form has only these.
FORM_FIELDS: frozenset[str] = frozenset({"firstName", "lastName", "email", "password"})


@signing_up.get("/sign-up")
def sign_up_form() -> Response:
    """The form."""
    return _form("sign_up.html", {"next": local_path(request.args.get("next"))}, {})


@signing_up.post("/sign-up")
def sign_up() -> BaseResponse:
    """Mail a link and a code; either of them creates the account and signs its owner in."""
    given = form_fields()
    goal = local_path(given.get("next"))
    try:
        fields = {name: value for name, value in given.items() if name in FORM_FIELDS}
        asked = parse_body(NewAccount, fields | {"locale": language()})
        made = ask_for_account(asked, goal)
    except Refused as error:
        return _form("sign_up.html", given | {"next": goal}, field_errors(error), error.status)
    answer = redirect(f"/confirm?{urlencode({'email': made.email, 'next': goal})}", 303)
    return sign_up_cookie.remember(answer, made.request)


@signing_up.get("/confirm")
def confirm_address_form() -> Response:
    """The form for the code from the mail."""
    given = {"email": request.args.get("email", ""), "next": local_path(request.args.get("next"))}
    return _form("confirm.html", given, {})


@signing_up.post("/confirm")
def confirm_address() -> BaseResponse:
    """Create the account and sign its owner in, by a code that was requested in this browser.

    The request is the cookie's alone: in a link or form, it could be that of somebody else with another password.
    """
    given = form_fields()
    goal = local_path(given.get("next"))
    try:
        asked = {"code": given.get("code", ""), "request": sign_up_cookie.asked_request()}
        granted = confirmed_by_code(parse_body(Confirmation, asked))
    except Refused as error:
        return _form("confirm.html", given | {"next": goal}, confirmation_errors(error), error.status)
    return finish(granted, goal)


def _form(template: str, given: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    shown = {"email": ""} | {name: value for name, value in given.items() if name != "password"}
    return make_response(render_template(template, given=shown, errors=errors), status)

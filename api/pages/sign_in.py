"""Signing in, which sets a new cookie, and signing out, which ends all sessions of the account."""

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.accounts.sign_in import credential_of
from api.pages import device_cookie, session_cookie
from api.pages.addresses import local_path
from api.pages.forms import field_errors, form_fields, parse_body
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.session import NewSession
from api.web.authentication import caller, visitor

signing_in = Blueprint("signing_in", __name__)


@signing_in.get("/sign-in")
def sign_in_form() -> BaseResponse:
    """The form; a reader who is signed in is redirected."""
    goal = local_path(request.args.get("next"))
    if visitor() is not None:
        return redirect(goal, 303)
    return _form({"email": request.args.get("email", "")}, goal, {})


@signing_in.post("/sign-in")
def sign_in() -> BaseResponse:
    """Begin a session and redirect to where the reader was going."""
    given = form_fields()
    goal = local_path(given.pop("next", None))
    try:
        asked = parse_body(NewSession, {"password": "", "email": ""} | given)
        known = credential_of(asked, device_cookie.device_of(asked.email))
    except Refused as error:
        return _form(given, goal, field_errors(error), error.status)
    session_cookie.begin(known.account, known.roles, known.version, known.locale)
    return device_cookie.remember(redirect(goal, 303), asked.email)


@signing_in.post("/sign-out")
def sign_out() -> BaseResponse:
    """End all sessions of the account, those of API clients too."""
    ports().revocations.end_sessions(caller().account)
    session_cookie.end()
    return redirect("/", 303)


def _form(given: dict[str, str], goal: str, errors: dict[str, str], status: int = 200) -> Response:
    shown = {"email": given.get("email", "")}
    done = next((each for each in ("changed", "deleted") if each in request.args), "")
    text = render_template("sign_in.html", given=shown, goal=goal, errors=errors, done=done)
    return make_response(text, status)

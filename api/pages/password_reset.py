"""Setting a new password: the form that requests a link, and the page behind it, which changes nothing when opened."""

from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.accounts.links import PATHS
from api.accounts.password_reset import account_to_reset, ask_for_reset, reset_password
from api.pages import device_cookie
from api.pages.errors import ErrorText, error_page
from api.pages.forms import field_errors, form_fields, parse_body
from api.pages.language import language, lazy_gettext
from api.pages.link_pages import chosen_password, link_text
from api.problems import Refused
from api.schemas.account import NewPasswordReset
from tables.signing.links import LinkKind

resetting = Blueprint("resetting", __name__)

PATH: Final = PATHS[LinkKind.RESET_PASSWORD]
FORGOTTEN: Final = "/forgotten-password"
USED: Final = ErrorText(
    lazy_gettext("This link is no longer valid"),
    lazy_gettext("It was already used, is older than one hour, or is incomplete. You can request another one."),
    lazy_gettext("Request another link"),
    FORGOTTEN,
)


@resetting.get(FORGOTTEN)
def forgotten_form() -> Response:
    """The form for the address; afterwards, that a mail was sent."""
    return _forgotten({"email": request.args.get("email", "")}, {})


@resetting.post(FORGOTTEN)
def forgotten() -> BaseResponse:
    """Send a mail to the address, whether it has an account or not."""
    given = form_fields()
    try:
        email = parse_body(NewPasswordReset, {"email": given.get("email", "")}).email
        ask_for_reset(email, language(), device_cookie.device_of(email))
    except Refused as error:
        return _forgotten(given, field_errors(error), error.status)
    return redirect(f"{FORGOTTEN}?{urlencode({'sent': '', 'email': email})}", 303)


@resetting.get(PATH)
def new_password_form() -> Response:
    """The form for the new password."""
    return _new_password({})


@resetting.post(PATH)
def new_password() -> BaseResponse:
    """Change the password and redirect to the sign-in."""
    try:
        account = reset_password(link_text(), "/password", chosen_password())
    except Refused as error:
        return _new_password(field_errors(error), error.status)
    answer = redirect(f"/sign-in?{urlencode({'changed': '', 'email': account.email})}", 303)
    return device_cookie.remember(answer, account.email)


def _forgotten(given: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    shown = {"email": given.get("email", "")}
    return make_response(
        render_template("forgotten.html", path=FORGOTTEN, given=shown, errors=errors, sent="sent" in request.args),
        status,
    )


def _new_password(errors: dict[str, str], status: int = 200) -> Response:
    try:
        email = account_to_reset(link_text()).email
    except Refused as error:
        if error.kind != "unknown-code":
            raise
        return error_page(USED, 410)
    text = render_template("new_password.html", path=PATH, link=link_text(), email=email, errors=errors)
    return make_response(text, status)

"""The reader's account, with the language of its mails and pages; and its deletion."""

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.accounts.changes import account_of, change_account_row, delete_account_row
from api.accounts.passwords import require_password
from api.pages import session_cookie
from api.pages.forms import field_errors, form_fields, parse_body
from api.pages.language import forget_choice
from api.problems import Refused, wrong
from api.schemas.account import Account, AccountDeletion, AccountPath
from api.web.authentication import caller
from translations.catalogues import LANGUAGES, language_of

account = Blueprint("account", __name__)

PATH = "/account"
DELETION_PATH = f"{PATH}/delete"


@account.get(PATH)
def own_account() -> Response:
    """The name and address, and a form for the language."""
    found = account_of(_own())
    shown = {"account": found, "language_of_account": language_of(found.locale), "saved": "saved" in request.args}
    return make_response(render_template("account.html", **shown))


@account.post(PATH)
def change_language() -> BaseResponse:
    """Change the language of the account's mails, and of the pages in this browser. Refused: invalid-input."""
    chosen = form_fields().get("language", "")
    if chosen not in LANGUAGES:
        raise wrong("/language", "is not a language of this site")
    changed = change_account_row(_own(), lambda known: _in(known, chosen)).after
    session_cookie.change_language(caller(), changed.locale)
    return forget_choice(redirect(f"{PATH}?saved=", 303))


@account.get(DELETION_PATH)
def deletion_form() -> Response:
    """What a deletion means, and a form for the password."""
    return _deletion({})


@account.post(DELETION_PATH)
def delete_account() -> BaseResponse:
    """Delete the account and end its sessions."""
    try:
        body = parse_body(AccountDeletion, {"currentPassword": form_fields().get("currentPassword", "")})
        require_password(_own(), body.current_password)
        delete_account_row(_own())
    except Refused as error:
        return _deletion(field_errors(error), error.status)
    session_cookie.end()
    return redirect("/sign-in?deleted=", 303)


def _deletion(errors: dict[str, str], status: int = 200) -> Response:
    text = render_template("account_deletion.html", path=DELETION_PATH, account=account_of(_own()), errors=errors)
    return make_response(text, status)


def _own() -> AccountPath:
    return AccountPath(account_id=caller().account)


def _in(known: Account, language: str) -> Account:
    """The account in that language. If it is in it already it keeps its country, as in ``de-AT``."""
    return known if language_of(known.locale) == language else known.model_copy(update={"locale": language})

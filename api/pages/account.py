"""The reader's account, with the language of its mails and pages."""

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.accounts.changes import account_of, change_account_row
from api.pages import session_cookie
from api.pages.forms import form_fields
from api.pages.language import forget_choice
from api.problems import wrong
from api.schemas.account import Account, AccountPath
from api.web.authentication import caller
from translations.catalogues import LANGUAGES, language_of

account = Blueprint("account", __name__)

PATH = "/account"


@account.get(PATH)
def own_account() -> Response:
    """The name and address, and a form for the language."""
    found = account_of(AccountPath(account_id=caller().account))
    shown = {"account": found, "language_of_account": language_of(found.locale), "saved": "saved" in request.args}
    return make_response(render_template("account.html", **shown))


@account.post(PATH)
def change_language() -> BaseResponse:
    """Change the language of the account's mails, and of the pages in this browser. Refused: invalid-input."""
    chosen = form_fields().get("language", "")
    if chosen not in LANGUAGES:
        raise wrong("/language", "is not a language of this site")
    changed = change_account_row(AccountPath(account_id=caller().account), lambda known: _in(known, chosen)).after
    session_cookie.change_language(caller(), changed.locale)
    return forget_choice(redirect(f"{PATH}?saved=", 303))


def _in(known: Account, language: str) -> Account:
    """The account in that language. If it is in it already it keeps its country, as in ``de-AT``."""
    return known if language_of(known.locale) == language else known.model_copy(update={"locale": language})

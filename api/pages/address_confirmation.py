"""The page behind the link that confirms an address. Opening it changes nothing; its button does.

A sign-up is recognised by its cookie, a change of address by the signed-in account. In another browser a sign-up needs
a new password, so that the password of a stranger who signed up with this address is never valid
(api/accounts/address_confirmation.py).
"""

from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template
from werkzeug.wrappers import Response as BaseResponse

from api.accounts.address_confirmation import ConfirmationLink, confirmed_by_link, digest
from api.accounts.links import PATHS
from api.accounts.passwords import new_hash
from api.pages import device_cookie, session_cookie, sign_up_cookie
from api.pages.addresses import local_path
from api.pages.errors import ErrorText, error_page
from api.pages.forms import field_errors
from api.pages.language import lazy_gettext
from api.pages.link_pages import chosen_password, link_subject, link_text
from api.pages.refusal_texts import refusal_text
from api.ports.accounts import ConfirmedAccount, PendingConfirmation
from api.ports.ports import ports
from api.problems import Refused
from api.web.authentication import visitor
from tables.signing.links import LinkExpired, LinkInvalid, LinkKind

confirming = Blueprint("confirming", __name__)

PATH: Final = PATHS[LinkKind.CONFIRM_ADDRESS]
INVALID: Final = ErrorText(
    lazy_gettext("This link is incomplete"),
    lazy_gettext("Please open it from the e-mail again, or copy all of it."),
    lazy_gettext("Sign up"),
    "/sign-up",
)
USED: Final = ErrorText(
    lazy_gettext("This link is no longer valid"),
    lazy_gettext("It was already used, or is older than 24 hours. If your address is confirmed, you can sign in."),
    lazy_gettext("Sign in"),
    "/sign-in",
)
OTHER_ACCOUNT: Final = ErrorText(
    lazy_gettext("This link belongs to another account"),
    lazy_gettext("Sign out, sign in to the account that will have this address, and open the link again."),
    lazy_gettext("My tickets"),
    "/tickets",
)


@confirming.get(PATH)
def confirm_link_form() -> BaseResponse:
    """Show what will be confirmed, with a button."""
    link, pending = _read_link()
    return _redirect_to_owner(pending) or _form(link, pending, {})


@confirming.post(PATH)
def confirm_link() -> BaseResponse:
    """Create the account and sign its owner in, or change the address."""
    link, pending = _read_link()
    if (elsewhere := _redirect_to_owner(pending)) is not None:
        return elsewhere
    try:
        confirmed = confirmed_by_link(link, None if _is_own(link, pending) else _chosen_hash(pending))
    except Refused as error:
        return _form(link, pending, confirmation_errors(error), error.status)
    return finish(confirmed, confirmed.goal)


def confirmation_errors(error: Refused) -> dict[str, str]:
    """Why nothing was confirmed, by field. These forms have no field for the address."""
    return field_errors(error) if error.kind == "invalid-input" else {"": refusal_text(error.kind)}


def finish(confirmed: ConfirmedAccount, goal: str) -> BaseResponse:
    """Redirect to ``goal``; sign in the owner of a new account."""
    account, answer = confirmed.account, redirect(local_path(goal), 303)
    if confirmed.old_email is None:
        session_cookie.begin(account.id, frozenset(account.roles), 0, account.locale)
        sign_up_cookie.forget(answer)
    return device_cookie.remember(answer, account.email)


def _read_link() -> tuple[ConfirmationLink, PendingConfirmation]:
    """The link of this request and the change that it confirms. Raises LinkInvalid; LinkExpired if it was used."""
    link = ConfirmationLink.of(link_subject(LinkKind.CONFIRM_ADDRESS))
    pending = ports().accounts.pending_confirmation(link.digest)
    if pending is None:
        raise LinkExpired(link.subject)
    return link, pending


def _redirect_to_owner(pending: PendingConfirmation) -> BaseResponse | None:
    """The answer for a reader who is not signed in to the account whose address changes; None for the others."""
    reader = visitor()
    if pending.account is not None or (reader is not None and reader.account == pending.account_id):
        return None
    if reader is not None:
        return error_page(OTHER_ACCOUNT, 403)
    here = f"{PATH}?{urlencode({'link': link_text()})}"
    return redirect(f"/sign-in?{urlencode({'next': here})}", 303)


def _is_own(link: ConfirmationLink, pending: PendingConfirmation) -> bool:
    """Whether the change was requested in this browser or by this account."""
    return pending.account is None or digest(link.code, sign_up_cookie.asked_request()) == pending.code_hash


def _chosen_hash(pending: PendingConfirmation) -> str:
    names = (pending.account.first_name, pending.account.last_name) if pending.account else ()
    return new_hash("/password", chosen_password(), pending.email, *names)


def _form(link: ConfirmationLink, pending: PendingConfirmation, errors: dict[str, str], status: int = 200) -> Response:
    shown = {"email": pending.email, "is_new": pending.account is not None, "is_own": _is_own(link, pending)}
    return make_response(
        render_template("confirm_link.html", path=PATH, link=link_text(), errors=errors, **shown), status
    )


confirming.register_error_handler(LinkInvalid, lambda error: error_page(INVALID, 404))
confirming.register_error_handler(LinkExpired, lambda error: error_page(USED, 410))

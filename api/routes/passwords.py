"""Changes of an account's password, and resets of a forgotten one."""

from flask import Response

from api.accounts.changes import account_of, no_account
from api.accounts.notices import tell_password
from api.accounts.password_reset import ask_for_reset
from api.accounts.password_reset import reset_password as carry_out
from api.accounts.passwords import new_hash, require_password
from api.auth.clients import accepted_language
from api.ports.ports import ports
from api.schemas.account import AccountPath, NewPasswordReset, PasswordChange, PasswordResetAsked, ResetPassword
from api.web.responses import WITH_BODY, answer, answers, blueprint

passwords = blueprint("passwords", "accounts")


@passwords.put(
    "/accounts/<uuid:accountId>/password",
    summary="Change an account's password",
    responses=answers({204: None}, *WITH_BODY, "not-found", "too-many-requests", "passwords-busy"),
)
def change_password(path: AccountPath, body: PasswordChange) -> Response:
    """The account's sessions end, and with them a pending change of its address. A mail says so."""
    require_password(path, body.current_password)
    account = account_of(path)
    new = new_hash("/newPassword", body.new_password, account.email, account.first_name, account.last_name)
    if not ports().accounts.set_password(path.account_id, new):
        raise no_account(path)
    tell_password(ports().mailer, account)
    return Response(status=204)


@passwords.post(
    "/password-resets",
    summary="Ask for a link to a new password",
    responses=answers({202: PasswordResetAsked}, *WITH_BODY, "too-many-requests"),
)
def ask_for_password_reset(body: NewPasswordReset) -> Response:
    """202 for every address, which gets a mail with a link to set a new password, in the account's language.

    If the address has no account, the mail says so. The link is valid once, for an hour.
    """
    ask_for_reset(body.email, accepted_language())
    return answer(PasswordResetAsked(email=body.email), 202)


@passwords.post(
    "/password-resets/confirmations",
    summary="Set a new password by a mailed link",
    responses=answers({204: None}, *WITH_BODY, "unknown-code", "too-many-requests", "passwords-busy"),
)
def reset_password(body: ResetPassword) -> Response:
    """`link` is the parameter in the mailed URL. All sessions of the account end, and a mail says so."""
    carry_out(body.link, "/newPassword", body.new_password)
    return Response(status=204)

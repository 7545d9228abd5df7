"""Resets of forgotten passwords."""

from flask import Response

from api.accounts.password_reset import ask_for_reset
from api.accounts.password_reset import reset_password as carry_out
from api.auth.clients import accepted_language
from api.schemas.account import NewPasswordReset, PasswordResetAsked, ResetPassword
from api.web.responses import WITH_BODY, answer, answers, blueprint

password_resets = blueprint("password_resets", "accounts")


@password_resets.post(
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


@password_resets.post(
    "/password-resets/confirmations",
    summary="Set a new password by a mailed link",
    responses=answers({204: None}, *WITH_BODY, "unknown-code", "too-many-requests", "passwords-busy"),
)
def reset_password(body: ResetPassword) -> Response:
    """`link` is the parameter in the mailed URL. All sessions of the account end, and a mail says so."""
    carry_out(body.link, "/newPassword", body.new_password)
    return Response(status=204)

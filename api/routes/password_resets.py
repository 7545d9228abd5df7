"""A new password for who forgot theirs."""

from flask import Response

from api.accounts.password_reset import ask_for_reset
from api.accounts.password_reset import reset_password as carry_out
from api.schemas.account import NewPasswordReset, PasswordResetAsked, ResetPassword
from api.web.responses import WITH_BODY, answer, answers, blueprint

password_resets = blueprint("password_resets", "accounts")


@password_resets.post(
    "/password-resets",
    summary="Ask for a link to a new password",
    responses=answers({202: PasswordResetAsked}, *WITH_BODY, "too-many-requests"),
)
def ask_for_password_reset(body: NewPasswordReset) -> Response:
    """202 for every address, and a mail to it, in the account's language: a link to a new password.

    Where the address has no account the mail says so. The link is good once, for an hour.
    """
    ask_for_reset(body.email)
    return answer(PasswordResetAsked(email=body.email), 202)


@password_resets.post(
    "/password-resets/confirmations",
    summary="Set a new password by a mailed link",
    responses=answers({204: None}, *WITH_BODY, "unknown-code", "too-many-requests", "passwords-busy"),
)
def reset_password(body: ResetPassword) -> Response:
    """With the link's text, which is `link` in its address. All sessions of the account end, and it is told."""
    carry_out(body.link, "/newPassword", body.new_password)
    return Response(status=204)

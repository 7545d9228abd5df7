"""Changes of an account's password."""

from flask import Response

from api.accounts.changes import account_of, no_account
from api.accounts.notices import tell_password
from api.accounts.passwords import new_hash, require_password
from api.ports.ports import ports
from api.schemas.account import AccountPath, PasswordChange
from api.web.responses import WITH_BODY, answers, blueprint

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

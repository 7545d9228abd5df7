"""An account's e-mail address, which must be confirmed by a mailed code or link."""

from flask import Response

from api.accounts.address_confirmation import ask_for_confirmation, confirmed_by_code
from api.accounts.changes import account_of, change_account_row
from api.accounts.notices import tell_address, tell_asked
from api.accounts.passwords import require_password
from api.ports.ports import ports
from api.schemas.account import Account, AccountEmail, AccountPath, Confirmation, NewEmail, SignUp
from api.web.authentication import require_to_act_for
from api.web.etags import tagged
from api.web.responses import BASE, WITH_BODY, answer, answers, blueprint

addresses = blueprint("addresses", "accounts")


@addresses.get(
    "/accounts/<uuid:accountId>/email",
    summary="Read an account's address",
    responses=answers({200: AccountEmail}, "not-found"),
)
def read_email(path: AccountPath) -> Response:
    """For the account itself and administrators."""
    require_to_act_for(path.account_id)
    account = account_of(path)
    return answer(AccountEmail(id=account.id, email=account.email))


@addresses.put(
    "/accounts/<uuid:accountId>/email",
    summary="Change an account's address",
    responses=answers(
        {200: Account, 202: SignUp}, *WITH_BODY, "not-found", "email-taken", "too-many-requests", "passwords-busy"
    ),
)
def change_email(path: AccountPath, body: NewEmail) -> Response:
    """202: a code and a link are mailed to the new address, and either confirms it. The old address gets a mail too.

    Both become invalid when the account's sessions end. An administrator's change takes effect at once (200).
    """
    found = require_password(path, body.current_password)
    before = account_of(path)
    if found.is_administrator:
        changed = change_account_row(path, lambda account: account.model_copy(update={"email": body.email}))
        tell_address(ports().mailer, changed.before.email, changed.after)
        return tagged(changed.after, changed.after.version)
    ports().rate_limits.check_mail(ports().rate_limits.asker(body.email))
    tell_asked(ports().mailer, before, body.email)
    return answer(ask_for_confirmation(before, body.email, sessions=found.version), 202)


@addresses.post(
    "/accounts/confirmations",
    summary="Confirm an address",
    responses=answers({201: Account}, *WITH_BODY, "unknown-code", "email-taken", "too-many-requests"),
)
def confirm_address(body: Confirmation) -> Response:
    """The code from the mail creates the account, or sets its new address. A code is valid once, for a day.

    It is valid only with the `request` secret of the response that announced the mail.

    Only here, after the code, the response says whether the address has an account already.
    """
    account = confirmed_by_code(body).account
    return tagged(account, account.version, 201, Location=f"{BASE}/accounts/{account.id}")

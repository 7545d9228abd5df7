"""Accounts, needed before organizing or buying."""

from flask import Response

from api.answers import BASE, WITH_BODY, answer, answers, blueprint, ports
from api.bodies.account import Account, AccountPath, NewAccount
from api.problems import Refused, wrong

accounts = blueprint("accounts", "accounts")


@accounts.post(
    "/accounts",
    summary="Create an account",
    responses=answers({201: Account}, *WITH_BODY, "already-exists", "email-taken"),
)
def create_account(body: NewAccount) -> Response:
    """Its id is made here unless the request brings one."""
    now = ports().clock()
    if body.birth_date is not None and body.birth_date > now.date():
        raise wrong("/birthDate", "must not lie in the future")
    account_id = body.id or ports().new_id()
    fields = body.model_dump(exclude={"id"})
    account = Account(**fields, id=account_id, version=1, created_at=now, updated_at=now)
    return answer(ports().accounts.add(account), 201, {"Location": f"{BASE}/accounts/{account_id}"})


@accounts.get(
    "/accounts/<uuid:accountId>",
    summary="Read an account",
    responses=answers({200: Account}, "not-found"),
)
def read_account(path: AccountPath) -> Response:
    """The account as it is now."""
    account = ports().accounts.get(path.account_id)
    if account is None:
        raise Refused("not-found", f"there is no account {path.account_id}")
    return answer(account)

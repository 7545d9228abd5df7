"""Accounts, needed before organizing or buying."""

from contextlib import suppress

from flask import Response

from api.answers import BASE, WITH_BODY, answer, answers, blueprint, ports
from api.bodies.account import Account, AccountPath, NewAccount, SignUp
from api.identity import forbidden, require_to_act_for, visitor
from api.problems import Refused, wrong
from api.tokens import Role

accounts = blueprint("accounts", "accounts")


@accounts.post(
    "/accounts",
    summary="Create an account",
    responses=answers(
        {201: Account, 202: SignUp}, *WITH_BODY, "forbidden", "already-exists", "email-taken", "too-many-requests"
    ),
)
def create_account(body: NewAccount) -> Response:
    """Signing up is answered 202, whether the address had an account before or not.

    An administrator gets the account itself (201), may choose its id and roles, and is told of an address in use.
    """
    found = visitor()
    if found is None or not found.is_administrator:
        return _sign_up(body)
    account = ports().accounts.add(_account(body), _hash(body))
    return answer(account, 201, {"Location": f"{BASE}/accounts/{account.id}"})


def _sign_up(body: NewAccount) -> Response:
    """Does the same work in the same time for every address."""
    ports().quotas.take("sign_up")
    if body.id is not None or body.roles is not None:
        raise forbidden()
    if body.password is None:
        raise wrong("/password", "is needed to sign up")
    account = _account(body)
    with suppress(Refused):
        ports().accounts.add(account, _hash(body))
    return answer(SignUp(email=account.email), 202)


def _account(body: NewAccount) -> Account:
    now = ports().clock()
    if body.birth_date is not None and body.birth_date > now.date():
        raise wrong("/birthDate", "must not lie in the future")
    fields = body.model_dump(exclude={"id", "roles", "password"})
    roles = sorted({Role.BUYER, *(body.roles or ())})
    return Account(**fields, id=body.id or ports().new_id(), roles=roles, version=1, created_at=now, updated_at=now)


def _hash(body: NewAccount) -> str | None:
    return None if body.password is None else ports().passwords.hash(body.password)


@accounts.get(
    "/accounts/<uuid:accountId>",
    summary="Read an account",
    responses=answers({200: Account}, "not-found"),
)
def read_account(path: AccountPath) -> Response:
    """The account as it is now; for itself and administrators."""
    require_to_act_for(path.account_id)
    account = ports().accounts.get(path.account_id)
    if account is None:
        raise Refused("not-found", f"there is no account {path.account_id}")
    return answer(account)

"""Accounts. Their addresses and passwords are in addresses.py and passwords.py."""

from datetime import date

from flask import Response

from api.accounts.changes import account_of, change_account_row, delete_account_row
from api.accounts.notices import tell_roles
from api.accounts.passwords import require_password
from api.accounts.sign_up import check_birthday, new_account, password_hash, sign_up
from api.ports.ports import ports
from api.roles import Role
from api.schemas.account import (
    Account,
    AccountBody,
    AccountChange,
    AccountDeletion,
    AccountList,
    AccountPath,
    NewAccount,
    RoleChange,
    SignUp,
)
from api.schemas.pagination import PageQuery, page
from api.web.authentication import require_to_act_for, visitor
from api.web.etags import check_match, check_match_if_given, tagged
from api.web.responses import BASE, IF_MATCH, WITH_BODY, WITH_MATCH, answer, answers, blueprint

accounts = blueprint("accounts", "accounts")

CHANGED = answers({200: Account}, *WITH_BODY, *WITH_MATCH, "not-found")


@accounts.post(
    "/accounts",
    summary="Create an account",
    responses=answers(
        {201: Account, 202: SignUp},
        *WITH_BODY,
        *("forbidden", "already-exists", "email-taken", "too-many-requests", "passwords-busy"),
    ),
)
def create_account(body: NewAccount) -> Response:
    """A sign-up gets 202: a code and a link are mailed to the address, and either creates the account.

    An administrator gets the account (201), may choose its id and roles, and learns whether an address is in use.
    """
    found = visitor()
    if found is None or not found.is_administrator:
        return answer(sign_up(body), 202)
    account = ports().accounts.add(new_account(body), password_hash(body))
    return tagged(account, account.version, 201, Location=f"{BASE}/accounts/{account.id}")


@accounts.get("/accounts", summary="List accounts", responses=answers({200: AccountList}, "invalid-input"))
def list_accounts(query: PageQuery) -> Response:
    """All accounts, newest first; for administrators."""
    items, following = page(query, ports().accounts.list)
    return answer(AccountList(items=items, next=following))


@accounts.get(
    "/accounts/<uuid:accountId>", summary="Read an account", responses=answers({200: Account, 304: None}, "not-found")
)
def read_account(path: AccountPath) -> Response:
    """For the account itself and administrators."""
    require_to_act_for(path.account_id)
    account = account_of(path)
    return tagged(account, account.version)


@accounts.put(
    "/accounts/<uuid:accountId>", summary="Replace an account", responses=CHANGED, openapi_extensions=IF_MATCH
)
def replace_account(path: AccountPath, body: AccountBody) -> Response:
    """A missing field gets its default."""
    return _change(path, body.model_dump())


@accounts.patch(
    "/accounts/<uuid:accountId>", summary="Change an account", responses=CHANGED, openapi_extensions=IF_MATCH
)
def change_account(path: AccountPath, body: AccountChange) -> Response:
    """A missing field stays as it is."""
    return _change(path, {name: getattr(body, name) for name in body.model_fields_set})


def _change(path: AccountPath, fields: dict[str, object]) -> Response:
    require_to_act_for(path.account_id)
    birthday = fields.get("birth_date")
    check_birthday(birthday if isinstance(birthday, date) else None)

    def decide(account: Account) -> Account:
        check_match(account.version)
        return account.model_copy(update=fields)

    after = change_account_row(path, decide).after
    return tagged(after, after.version)


@accounts.put(
    "/accounts/<uuid:accountId>/roles",
    summary="Give an account its roles",
    responses=CHANGED,
    openapi_extensions=IF_MATCH,
)
def change_roles(path: AccountPath, body: RoleChange) -> Response:
    """By an administrator. If the roles change, the account's sessions end, and a mail says so."""

    def decide(account: Account) -> Account:
        check_match(account.version)
        return account.model_copy(update={"roles": sorted({Role.BUYER, *body.roles})})

    changed = change_account_row(path, decide)
    if changed.after.roles != changed.before.roles:
        tell_roles(ports().mailer, changed.after)
    return tagged(changed.after, changed.after.version)


@accounts.delete(
    "/accounts/<uuid:accountId>",
    summary="Delete an account",
    responses=answers(
        {204: None},
        *WITH_BODY,
        *("not-found", "precondition-failed", "has-events", "too-many-requests", "passwords-busy"),
    ),
)
def delete_account(path: AccountPath, body: AccountDeletion) -> Response:
    """With its password and sessions. An organizer's events must be deleted first."""
    require_password(path, body.current_password)
    delete_account_row(path, lambda account: check_match_if_given(account.version))
    return Response(status=204)

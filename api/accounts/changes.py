"""Reads and changes accounts for the routes."""

from collections.abc import Callable
from typing import NamedTuple

from api.ports.ports import ports
from api.problems import Refused
from api.schemas.account import Account, AccountPath


class Changed(NamedTuple):
    """An account before and after a change."""

    before: Account
    after: Account


def change_account_row(path: AccountPath, decide: Callable[[Account], Account]) -> Changed:
    """Change an account as ``decide`` says. Refused: not-found, what ``decide`` refuses."""
    seen: list[Account] = []

    def decided(before: Account) -> Account:
        seen.append(before)
        return decide(before).model_copy(update={"updated_at": ports().clock()})

    after = ports().accounts.change(path.account_id, decided)
    if after is None:
        raise no_account(path)
    return Changed(seen[-1], after)


def delete_account_row(path: AccountPath, check: Callable[[Account], None] = lambda account: None) -> None:
    """Delete an account and end its sessions. Refused: not-found, has-events, what ``check`` refuses."""
    if not ports().accounts.delete(path.account_id, check):
        raise no_account(path)


def account_of(path: AccountPath) -> Account:
    """The account of a path. Refused: not-found."""
    account = ports().accounts.get(path.account_id)
    if account is None:
        raise no_account(path)
    return account


def no_account(path: AccountPath) -> Refused:
    """The refusal for an id that no account has."""
    return Refused("not-found", f"there is no account {path.account_id}")

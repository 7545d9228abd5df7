"""Links to new passwords in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from api.adapters.postgres.accounts import AccountRows
from api.adapters.postgres.credentials import CredentialRows
from api.adapters.postgres.database import Database
from api.adapters.postgres.password_resets import PasswordResetRows
from api.adapters.postgres.revocations import RevocationRows
from api.ports.accounts import PasswordReset
from api.schemas.account import Account
from tests.integration.write_model.conftest import Scratch
from tests.integration.write_model.test_signing_in import HASH, add_account

NEW = HASH + "A"


@pytest.fixture
def ended() -> list[tuple[UUID, int]]:
    """Whose sessions ended."""
    return []


@pytest.fixture
def resets(database: Database, ended: list[tuple[UUID, int]]) -> PasswordResetRows:
    return PasswordResetRows(database, lambda account, version: ended.append((account, version)))


def ask(resets: PasswordResetRows, account: Account) -> bytes:
    """The hash of a new link for the account."""
    link = uuid4().bytes * 2
    resets.keep(PasswordReset(link, account.id, account.email))
    return link


def test_a_link_gives_a_new_password_once_and_ends_the_sessions(
    database: Database, resets: PasswordResetRows, ended: list[tuple[UUID, int]]
) -> None:
    account = add_account(database, HASH)
    link = ask(resets, account)
    assert resets.find(link) == resets.find(link) == account
    assert resets.grant(link, NEW) == account
    assert (resets.find(link), resets.grant(link, HASH)) == (None, None)
    known = CredentialRows(database).find(account.email)
    assert known is not None
    assert (known.password_hash, known.version, ended) == (NEW, 1, [(account.id, 1)])


def test_of_several_links_one_is_used_even_at_the_same_time(database: Database, resets: PasswordResetRows) -> None:
    account = add_account(database, None)
    links = [ask(resets, account) for _ in range(3)]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda link: resets.grant(link, NEW), links * 2))
    assert [one for one in found if one] == [account]


def test_a_link_ends_with_the_sessions_the_address_and_the_hour(
    database: Database, resets: PasswordResetRows, scratch: Scratch
) -> None:
    accounts, account = AccountRows(database), add_account(database, HASH)
    signed_out = ask(resets, account)
    RevocationRows(database, 900).end_sessions(account.id)
    moved = ask(resets, account)
    renamed = accounts.change(account.id, lambda row: row.model_copy(update={"email": f"{uuid4().hex}@buyer.example"}))
    assert renamed is not None
    late = ask(resets, renamed)
    scratch.rows("UPDATE password_reset SET created_at = now() - interval '61 minutes' WHERE link_hash = %s", late)
    assert [resets.grant(link, NEW) for link in (signed_out, moved, late)] == [None] * 3
    good = ask(resets, renamed)
    assert scratch.rows("SELECT count(*) FROM password_reset WHERE link_hash = %s", late) == [(0,)]
    assert resets.grant(good, NEW) == renamed


def test_a_link_of_nobody_is_kept_as_any_and_good_for_nothing(database: Database, resets: PasswordResetRows) -> None:
    link = uuid4().bytes * 2
    resets.keep(PasswordReset(link, uuid4(), "nobody@buyer.example"))
    assert (resets.find(link), resets.grant(link, NEW)) == (None, None)


@pytest.mark.parametrize("domain", ["straße.example", "STRAßE.example", "xn--strae-oqa.example"])
def test_an_account_is_found_by_any_spelling_of_its_address(database: Database, domain: str) -> None:
    name = uuid4().hex
    account = add_account(database, None, f"{name}@straße.example")
    assert AccountRows(database).find(f"{name.upper()}@{domain}") == account
    assert AccountRows(database).find(f"{name}@strasse.example") is None

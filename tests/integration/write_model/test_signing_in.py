"""Passwords and ended sessions in PostgreSQL."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from argon2 import PasswordHasher

from api.adapters.postgres.accounts import AccountRows
from api.adapters.postgres.credentials import CredentialRows
from api.adapters.postgres.database import Database
from api.adapters.postgres.revocations import RevocationRows
from api.administrator import make_administrator
from api.auth.clients import address_key
from api.auth.passwords import Hasher
from api.problems import Unavailable
from api.roles import Role
from api.schemas.account import Account
from settings import Settings
from tests.eventually import eventually
from tests.integration.write_model.conftest import Scratch

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def add_account(database: Database, password_hash: str | None, email: str = "") -> Account:
    fields = {"id": uuid4(), "first_name": "Ada", "last_name": "Byron", "locale": "en", "version": 1}
    now = datetime.now(UTC)
    email = email or f"Ada.{uuid4().hex}@buyer.example"
    more = {"email": email, "roles": [Role.BUYER], "created_at": now, "updated_at": now}
    return AccountRows(database).add(Account(**fields | more), password_hash)


def test_a_password_is_found_by_its_address_in_whatever_case(database: Database) -> None:
    account = add_account(database, HASH)
    found = CredentialRows(database).find(account.email.upper())
    assert found is not None
    assert (found.account, found.roles, found.password_hash, found.version) == (
        account.id,
        frozenset({Role.BUYER}),
        HASH,
        0,
    )


@pytest.mark.parametrize("domain", ["straße.example", "STRAßE.example", "xn--strae-oqa.example", "ｓｔｒａßｅ.example"])
def test_a_password_is_found_by_any_spelling_of_its_address(database: Database, domain: str) -> None:
    name = uuid4().hex
    account = add_account(database, HASH, f"{name}@straße.example")
    found = CredentialRows(database).find(f"{name}@{domain}")
    assert found is not None
    assert found.account == account.id
    assert CredentialRows(database).find(f"{name}@strasse.example") is None


def test_what_the_database_takes_for_one_address_is_counted_as_one(scratch: Scratch) -> None:
    letters = [letter for letter in map(chr, range(0x110000)) if letter.isalpha()]
    found = scratch.rows("SELECT each, lower(each) FROM unnest(%s::text[]) AS each WHERE lower(each) <> each", letters)
    assert len(found) > 1_000
    keys = [(address_key(f"{name}@b.example"), address_key(f"{lower}@b.example")) for name, lower in found]
    assert not [each for each in keys if each[0] != each[1]]


def test_an_older_row_is_found_as_it_is_written_before_any_other(database: Database) -> None:
    name = uuid4().hex
    new, old = (add_account(database, HASH, f"{name}@{domain}") for domain in ("faß.example", "xn--fa-hia.example"))
    found = [CredentialRows(database).find(each.email) for each in (new, old)]
    assert [each and each.account for each in found] == [new.id, old.id]


def test_an_account_without_a_password_has_no_credential(database: Database) -> None:
    account = add_account(database, None)
    assert CredentialRows(database).find(account.email) is None
    assert CredentialRows(database).find("nobody@buyer.example") is None


def test_a_hash_is_replaced_only_where_nobody_changed_the_password_meanwhile(database: Database) -> None:
    credentials = CredentialRows(database)
    account = add_account(database, HASH)
    known = credentials.find(account.email)
    assert known is not None
    credentials.rehash(known, HASH + "A")
    credentials.rehash(known, HASH + "B")
    found = credentials.find(account.email)
    assert found is not None
    assert found.password_hash == HASH + "A"


def test_ending_sessions_raises_the_version_here_at_once_and_elsewhere_at_the_next_look(database: Database) -> None:
    account = add_account(database, HASH)
    here, elsewhere = RevocationRows(database, 900), RevocationRows(database, 900)
    here.look()
    elsewhere.look()
    here.end_sessions(account.id)
    assert (here.version(account.id), elsewhere.version(account.id)) == (1, 0)
    elsewhere.look()
    assert elsewhere.version(account.id) == 1
    found = CredentialRows(database).find(account.email)
    assert found is not None
    assert found.version == 1


def test_only_what_living_tokens_may_meet_is_kept_in_memory(database: Database, scratch: Scratch) -> None:
    rows = RevocationRows(database, 900)
    account = uuid4()
    rows.end_sessions(account)
    scratch.rows("UPDATE revocation SET at = now() - interval '20 minutes'")
    rows.look()
    assert rows.version(account) == 0
    rows.end_sessions(account)
    assert rows.version(account) == 2


def test_before_the_first_look_no_token_is_taken(database: Database) -> None:
    rows = RevocationRows(database, 900)
    with pytest.raises(Unavailable):
        rows.version(uuid4())


def test_what_other_instances_end_is_learned_by_itself(database: Database) -> None:
    rows = RevocationRows(database, 900, poll_every_s=0.05)
    rows.open()
    eventually(lambda: rows.is_known, within=10)
    account = uuid4()
    RevocationRows(database, 900).end_sessions(account)
    eventually(lambda: rows.version(account) == 1, within=10)
    rows.close()


def test_the_first_administrator_is_made_once(database: Database, scratch: Scratch) -> None:
    accounts, passwords = AccountRows(database), Hasher(CHEAP)
    now = Settings(ticket_key="k" * 32, admin_email="admin@office.example", admin_password="a long password")
    assert make_administrator(accounts, passwords, now)
    assert not make_administrator(accounts, passwords, now)
    found = CredentialRows(database).find("admin@office.example")
    assert found is not None
    assert found.roles == {Role.BUYER, Role.ADMINISTRATOR}
    assert passwords.fits(found.password_hash, "a long password")


@pytest.mark.parametrize("password", [None, "short", "Administrator1"])
def test_an_administrator_without_a_good_password_is_not_made(
    database: Database, scratch: Scratch, password: str | None
) -> None:
    with pytest.raises(ValueError, match="TURNSTILE_ADMIN_PASSWORD"):
        now = Settings(ticket_key="k" * 32, admin_password=password)
        make_administrator(AccountRows(database), Hasher(CHEAP), now)
    assert scratch.rows("SELECT 1 FROM account") == []

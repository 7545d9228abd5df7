"""Accounts in PostgreSQL: pages, changes, codes, and what is gone with one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.adapters.postgres.accounts import AccountRows
from api.adapters.postgres.credentials import CredentialRows
from api.adapters.postgres.database import Database
from api.adapters.postgres.events import EventRows
from api.adapters.postgres.revocations import RevocationRows
from api.ports.accounts import ConfirmedAccount, PendingConfirmation
from api.ports.events import Listing
from api.problems import Refused
from api.roles import Role
from api.schemas.account import Account
from api.schemas.event import Event
from api.schemas.pagination import PageQuery, page
from tests.integration.write_model.conftest import Scratch

NOW = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"
CODE = b"\1" * 32


def new_account(**more: Any) -> Account:
    fields: dict[str, Any] = {"id": uuid4(), "first_name": "Ada", "last_name": "Byron", "locale": "en", "version": 1}
    fields |= {"email": f"{uuid4().hex}@buyer.example", "roles": [Role.BUYER], "created_at": NOW, "updated_at": NOW}
    return Account(**fields | more)


def new_event(organizer: UUID, **more: Any) -> Event:
    fields: dict[str, Any] = {"id": uuid4(), "organizer_id": organizer, "title": "x", "status": "DRAFT"}
    fields |= {"starts_at": NOW, "ends_at": NOW + timedelta(hours=1), "time_zone": "UTC"}
    return Event(**fields | {"created_at": NOW, "updated_at": NOW} | more)


@pytest.fixture
def ended() -> list[tuple[UUID, int]]:
    return []


@pytest.fixture
def accounts(database: Database, ended: list[tuple[UUID, int]]) -> AccountRows:
    return AccountRows(database, lambda account, version: ended.append((account, version)))


def test_pages_have_every_account_once_though_many_were_made_at_the_same_moment(accounts: AccountRows) -> None:
    made = {accounts.add(new_account()).id for _ in range(5)}
    made |= {accounts.add(new_account(created_at=NOW + timedelta(microseconds=n))).id for n in range(3)}
    made.add(accounts.add(new_account(last_name="")).id)
    seen: list[UUID] = []
    cursor: str | None = None
    while True:
        items, cursor = page(PageQuery(limit=3, cursor=cursor), accounts.list)
        seen += [item.id for item in items]
        accounts.add(new_account(created_at=NOW + timedelta(days=1)))
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert set(seen) == made


def test_a_change_raises_the_version_and_only_new_roles_end_sessions(
    accounts: AccountRows, ended: list[tuple[UUID, int]]
) -> None:
    account = accounts.add(new_account())
    renamed = accounts.change(account.id, lambda before: before.model_copy(update={"last_name": "King"}))
    assert renamed is not None
    assert (renamed.version, accounts.get(account.id)) == (2, renamed)
    assert ended == []
    accounts.change(account.id, lambda before: before.model_copy(update={"roles": [Role.BUYER, Role.ORGANIZER]}))
    assert ended == [(account.id, 1)]
    assert accounts.change(uuid4(), lambda before: before) is None


def test_what_a_change_refuses_leaves_everything_as_it_was(accounts: AccountRows) -> None:
    first, second = accounts.add(new_account()), accounts.add(new_account())
    with pytest.raises(Refused, match="e-mail address") as refused:
        accounts.change(second.id, lambda before: before.model_copy(update={"email": first.email.upper()}))
    assert refused.value.kind == "email-taken"
    assert accounts.get(second.id) == second


def test_a_deleted_account_takes_its_password_along_and_ends_its_sessions(
    accounts: AccountRows, database: Database, scratch: Scratch, ended: list[tuple[UUID, int]]
) -> None:
    account = accounts.add(new_account(), HASH)
    assert accounts.delete(account.id, lambda _: None)
    assert CredentialRows(database).find(account.email) is None
    assert scratch.rows("SELECT count(*) FROM credential") == [(0,)]
    assert ended == [(account.id, 1)]
    assert not accounts.delete(account.id, lambda _: None)


def test_an_organizer_with_events_is_not_deleted(accounts: AccountRows, database: Database) -> None:
    account = accounts.add(new_account())
    EventRows(database).add(Listing(new_event(account.id)))
    with pytest.raises(Refused, match="has events"):
        accounts.delete(account.id, lambda _: None)
    assert accounts.get(account.id) == account


def test_a_new_password_ends_the_sessions_of_the_old_one(
    accounts: AccountRows, database: Database, ended: list[tuple[UUID, int]]
) -> None:
    account = accounts.add(new_account(), HASH)
    assert accounts.set_password(account.id, HASH + "A")
    found = CredentialRows(database).find(account.email)
    assert found is not None
    assert (found.password_hash, found.version, ended) == (HASH + "A", 1, [(account.id, 1)])
    assert not accounts.set_password(uuid4(), HASH)


def test_a_code_makes_its_account_once(accounts: AccountRows, database: Database) -> None:
    account = new_account(phone="+43 1 234567", birth_date="1985-12-10")
    accounts.add_confirmation(PendingConfirmation(CODE, account.id, account.email, account, HASH))
    later = NOW + timedelta(hours=1)
    made = accounts.confirm_by_code(CODE, later)
    assert made == ConfirmedAccount(account.model_copy(update={"created_at": later, "updated_at": later}))
    assert accounts.get(account.id) == made.account
    assert CredentialRows(database).find(account.email) is not None
    assert accounts.confirm_by_code(CODE, later) is None


def test_a_link_makes_its_account_with_the_password_that_is_chosen_with_it(
    accounts: AccountRows, database: Database
) -> None:
    account, link = new_account(), b"\7" * 32
    pending = PendingConfirmation(
        CODE, account.id, account.email, account, HASH, link_hash=link, goal="/events/1?n-2=3"
    )
    accounts.add_confirmation(pending)
    assert accounts.pending_confirmation(link) == pending
    made = accounts.confirm_by_link(link, NOW, HASH + "A")
    assert made is not None
    assert (made.account.id, made.goal) == (account.id, "/events/1?n-2=3")
    known = CredentialRows(database).find(account.email)
    assert known is not None
    assert known.password_hash == HASH + "A"
    assert (
        accounts.pending_confirmation(link),
        accounts.confirm_by_link(link, NOW),
        accounts.confirm_by_code(CODE, NOW),
    ) == (None, None, None)


def test_a_link_changes_the_address_of_its_account_unless_its_sessions_ended(accounts: AccountRows) -> None:
    account = accounts.add(new_account(), HASH)
    first, second = (
        PendingConfirmation(link, account.id, f"{link[0]}@buyer.example", link_hash=link)
        for link in (b"\1" * 32, b"\2" * 32)
    )
    accounts.add_confirmation(first)
    assert accounts.pending_confirmation(first.link_hash) == first
    changed = accounts.confirm_by_link(first.link_hash, NOW)
    assert changed is not None
    assert (changed.account.email, changed.old_email) == ("1@buyer.example", account.email)
    accounts.add_confirmation(second)
    accounts.set_password(account.id, HASH)
    assert accounts.confirm_by_link(second.link_hash, NOW) is None


def test_a_change_of_address_is_ended_by_another_one_and_no_sign_up_is(accounts: AccountRows) -> None:
    account, newcomer = accounts.add(new_account()), new_account()
    sign_up = PendingConfirmation(b"\4" * 32, newcomer.id, newcomer.email, newcomer, HASH)
    pending = [PendingConfirmation(bytes([n]) * 32, account.id, f"{n}@buyer.example") for n in (1, 2)]
    for each in (sign_up, *pending):
        accounts.add_confirmation(each)
    assert accounts.confirm_by_code(pending[0].code_hash, NOW) is None
    accounts.change(account.id, lambda before: before.model_copy(update={"last_name": "King"}))
    accounts.change(account.id, lambda before: before.model_copy(update={"email": "augusta@buyer.example"}))
    assert accounts.confirm_by_code(pending[1].code_hash, NOW) is None
    assert accounts.confirm_by_code(sign_up.code_hash, NOW) is not None


def test_a_code_for_an_address_that_has_an_account_by_now_stays_without_effect(accounts: AccountRows) -> None:
    account = new_account()
    accounts.add_confirmation(PendingConfirmation(CODE, account.id, account.email, account, HASH))
    accounts.add(new_account(email=account.email))
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            accounts.confirm_by_code(CODE, NOW)
        assert refused.value.kind == "email-taken"
    assert accounts.get(account.id) is None


def test_a_code_changes_the_address_of_its_account(accounts: AccountRows) -> None:
    account = accounts.add(new_account())
    accounts.add_confirmation(PendingConfirmation(CODE, account.id, "new@buyer.example"))
    changed = accounts.confirm_by_code(CODE, NOW)
    assert changed is not None
    assert (changed.account.email, changed.account.version) == ("new@buyer.example", 2)
    assert changed.old_email == account.email


def test_a_code_of_ended_sessions_changes_nothing_and_one_of_the_next_sessions_does(
    accounts: AccountRows, database: Database
) -> None:
    account = accounts.add(new_account(), HASH)
    accounts.add_confirmation(PendingConfirmation(CODE, account.id, "new@buyer.example"))
    accounts.set_password(account.id, HASH)
    assert accounts.confirm_by_code(CODE, NOW) is None
    # As a server asks that has not learned yet of the end of the sessions.
    accounts.add_confirmation(PendingConfirmation(b"\2" * 32, account.id, "new@buyer.example"))
    assert accounts.confirm_by_code(b"\2" * 32, NOW) is None
    assert accounts.get(account.id) == account
    accounts.add_confirmation(PendingConfirmation(b"\3" * 32, account.id, "newer@buyer.example", sessions=1))
    assert accounts.confirm_by_code(b"\3" * 32, NOW) is not None
    accounts.add_confirmation(PendingConfirmation(CODE, account.id, "newest@buyer.example", sessions=1))
    RevocationRows(database, 900).end_sessions(account.id)
    assert accounts.confirm_by_code(CODE, NOW) is None


def test_a_code_is_good_for_a_day(accounts: AccountRows, scratch: Scratch) -> None:
    account = new_account()
    accounts.add_confirmation(PendingConfirmation(CODE, account.id, account.email, account, HASH, link_hash=b"\7" * 32))
    scratch.rows("UPDATE confirmation SET created_at = now() - interval '25 hours'")
    assert (accounts.confirm_by_code(CODE, NOW), accounts.pending_confirmation(b"\7" * 32)) == (None, None)
    accounts.add_confirmation(PendingConfirmation(b"\2" * 32, account.id, account.email, account, HASH))
    assert scratch.rows("SELECT count(*) FROM confirmation") == [(1,)]


def test_events_are_listed_newest_first_and_drafts_for_their_organizer(
    accounts: AccountRows, database: Database
) -> None:
    events = EventRows(database)
    mine, others = (accounts.add(new_account()).id for _ in range(2))
    draft = new_event(mine, created_at=NOW + timedelta(seconds=2))
    active = new_event(others, status="ACTIVE")
    for event in (draft, active):
        events.add(Listing(event))
    choice: dict[str, Any] = {"organizer": None, "status": None, "drafts_of": None, "all_drafts": False}
    assert events.list(10, None, **choice) == [active]
    assert events.list(10, None, **choice | {"drafts_of": mine}) == [draft, active]
    assert events.list(10, None, **choice | {"all_drafts": True, "organizer": mine}) == [draft]
    assert events.list(10, None, **choice | {"all_drafts": True, "status": "ACTIVE"}) == [active]


def test_a_deleted_event_is_announced_a_last_time(accounts: AccountRows, database: Database, scratch: Scratch) -> None:
    events = EventRows(database)
    event = new_event(accounts.add(new_account()).id)
    events.add(Listing(event))
    assert events.delete(event.id, lambda listing: listing)
    assert not events.delete(event.id, lambda listing: listing)
    assert events.get(event.id) is None
    # The outbox keeps the newest announcement alone.
    assert scratch.rows("SELECT version FROM event_outbox") == [(2,)]
    # Version 1 of another event with this id would be older for the ledger, which would sell nothing of it.
    with pytest.raises(Refused, match=f"there was an event {event.id}"):
        events.add(Listing(event))
    assert events.get(event.id) is None

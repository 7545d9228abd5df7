"""Accounts, their passwords, their sessions, and what waits to be confirmed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from argon2 import PasswordHasher

from api.ports.accounts import ConfirmedAccount, PasswordReset, PendingConfirmation
from api.ports.credentials import Credential
from api.problems import Fault, Refused
from api.schemas.account import Account
from api.schemas.pagination import PagePosition
from tables.text.email_addresses import address_spellings
from tests.unit.api.fakes.pagination import newest

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class FakeRevocations:
    """Versions by account."""

    versions: dict[UUID, int] = field(default_factory=dict)

    def version(self, account: UUID) -> int:
        return self.versions.get(account, 0)

    def end_sessions(self, account: UUID) -> None:
        self.versions[account] = self.version(account) + 1


@dataclass
class FakeAccounts:
    """Accounts by id."""

    rows: dict[UUID, Account] = field(default_factory=dict)
    hashes: dict[UUID, str] = field(default_factory=dict)
    confirmations: dict[bytes, PendingConfirmation] = field(default_factory=dict)
    organizers: set[UUID] = field(default_factory=set)
    revocations: FakeRevocations = field(default_factory=FakeRevocations)

    def add(self, account: Account, password_hash: str | None = None) -> Account:
        if account.id in self.rows:
            raise Refused("already-exists")
        if any(row.email.lower() == account.email.lower() for row in self.rows.values()):
            raise Refused("email-taken", "", Fault("is in use", "/email"))
        self.rows[account.id] = account
        if password_hash is not None:
            self.hashes[account.id] = password_hash
        return account

    def get(self, account: UUID) -> Account | None:
        return self.rows.get(account)

    def find(self, email: str) -> Account | None:
        rows = {row.email.lower(): row for row in self.rows.values()}
        return next((rows[each.lower()] for each in address_spellings(email) if each.lower() in rows), None)

    def list(self, limit: int, after: PagePosition | None) -> list[Account]:
        return newest(self.rows.values(), limit, after)

    def change(self, account: UUID, decide: Callable[[Account], Account]) -> Account | None:
        before = self.rows.get(account)
        if before is None:
            return None
        after = decide(before).model_copy(update={"version": before.version + 1})
        if any(row.email.lower() == after.email.lower() for key, row in self.rows.items() if key != account):
            raise Refused("email-taken", "", Fault("is in use", "/email"))
        if after.roles != before.roles:
            self.revocations.end_sessions(account)
        if after.email != before.email:
            self._end_changes(account)
        self.rows[account] = after
        return after

    def _end_changes(self, account: UUID) -> None:
        self.confirmations = {
            key: pending
            for key, pending in self.confirmations.items()
            if pending.account is not None or pending.account_id != account
        }

    def delete(self, account: UUID, check: Callable[[Account], None]) -> bool:
        if account not in self.rows:
            return False
        check(self.rows[account])
        if account in self.organizers:
            raise Refused("has-events")
        del self.rows[account]
        self.revocations.end_sessions(account)
        return True

    def set_password(self, account: UUID, password_hash: str) -> bool:
        if account not in self.rows:
            return False
        self.hashes[account] = password_hash
        self.revocations.end_sessions(account)
        return True

    def add_confirmation(self, pending: PendingConfirmation) -> None:
        if pending.account is None:
            self._end_changes(pending.account_id)
        self.confirmations[pending.code_hash] = pending

    def confirm_by_code(self, code_hash: bytes, now: datetime) -> ConfirmedAccount | None:
        return self._confirm(code_hash, None)

    def pending_confirmation(self, link_hash: bytes) -> PendingConfirmation | None:
        return next((pending for pending in self.confirmations.values() if pending.link_hash == link_hash), None)

    def confirm_by_link(
        self, link_hash: bytes, now: datetime, password_hash: str | None = None
    ) -> ConfirmedAccount | None:
        pending = self.pending_confirmation(link_hash)
        return self._confirm(pending.code_hash, password_hash) if pending else None

    def _confirm(self, code_hash: bytes, password_hash: str | None) -> ConfirmedAccount | None:
        pending = self.confirmations.get(code_hash)
        if pending is None:
            return None
        if pending.account is not None:
            made = self.add(pending.account, password_hash or pending.password_hash)
            del self.confirmations[code_hash]
            return ConfirmedAccount(made, goal=pending.goal)
        del self.confirmations[code_hash]
        before = self.rows.get(pending.account_id)
        if before is None or self.revocations.version(pending.account_id) != pending.sessions:
            return None
        after = self.change(pending.account_id, lambda before: before.model_copy(update={"email": pending.email}))
        return ConfirmedAccount(after or before, before.email, pending.goal)


@dataclass
class FakeCredentials:
    """The passwords of the fake accounts."""

    accounts: FakeAccounts
    revocations: FakeRevocations

    def find(self, email: str) -> Credential | None:
        rows = {row.email.lower(): row for row in self.accounts.rows.values() if row.id in self.accounts.hashes}
        row = next((rows[each.lower()] for each in address_spellings(email) if each.lower() in rows), None)
        if row is None:
            return None
        version = self.revocations.version(row.id)
        return Credential(row.id, frozenset(row.roles), self.accounts.hashes[row.id], version, row.locale)

    def rehash(self, known: Credential, password_hash: str) -> None:
        self.accounts.hashes[known.account] = password_hash


@dataclass
class FakePasswordResets:
    """Links to new passwords, with the versions of the sessions then."""

    accounts: FakeAccounts
    rows: dict[bytes, tuple[PasswordReset, int]] = field(default_factory=dict)

    def keep(self, reset: PasswordReset) -> None:
        self.rows[reset.link_hash] = reset, self.accounts.revocations.version(reset.account_id)

    def find(self, link_hash: bytes) -> Account | None:
        reset, sessions = self.rows.get(link_hash, (None, 0))
        account = self.accounts.get(reset.account_id) if reset else None
        if account is None or reset is None or account.email != reset.email:
            return None
        return account if self.accounts.revocations.version(account.id) == sessions else None

    def grant(self, link_hash: bytes, password_hash: str) -> Account | None:
        account = self.find(link_hash)
        self.rows.pop(link_hash, None)
        if account is not None:
            self.accounts.set_password(account.id, password_hash)
        return account

"""The ports of the API as plain dictionaries, and an application on them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.auth.account_mails import Mail
from api.auth.passwords import Hasher, Passwords
from api.auth.rate_limits import Quotas, Tries
from api.auth.tokens import Tokens
from api.board.components import unknown
from api.board.rates import Pace
from api.board.snapshot import Snapshot, frame
from api.ports.accounts import Granted, PasswordReset, Wish
from api.ports.credentials import Credential
from api.ports.events import Listing
from api.ports.ledger import BuyersCommand
from api.ports.ports import Ports
from api.ports.sales import Curve, Left, MaySee, Reached
from api.problems import Fault, Refused, Unavailable
from api.roles import Role
from api.schemas.account import Account
from api.schemas.event import Event
from api.schemas.notification import Notification
from api.schemas.pagination import Listed, Place
from api.schemas.purchase import Purchase, PurchaseList
from api.schemas.sales import EventSales
from api.schemas.search import FoundEvent, FoundEvents, SearchQuery, Suggestion, Suggestions, SuggestQuery
from api.schemas.ticket import TicketType
from api.web.deferred import DEFERRED
from tables.ledger.fingerprint import fingerprint
from tables.messages.commands import Buy as Command
from tables.messages.commands import Hold
from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner
from tables.text.email_addresses import address_spellings

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


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
    wishes: dict[bytes, Wish] = field(default_factory=dict)
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

    def list(self, limit: int, after: Place | None) -> list[Account]:
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
        self.rows[account] = after
        return after

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

    def keep(self, wish: Wish) -> None:
        self.wishes[wish.code_hash] = wish

    def grant(self, code_hash: bytes, now: datetime) -> Granted | None:
        return self._grant(code_hash, None)

    def wish(self, link_hash: bytes) -> Wish | None:
        return next((wish for wish in self.wishes.values() if wish.link_hash == link_hash), None)

    def grant_by_link(self, link_hash: bytes, now: datetime, password_hash: str | None = None) -> Granted | None:
        wish = self.wish(link_hash)
        return self._grant(wish.code_hash, password_hash) if wish else None

    def _grant(self, code_hash: bytes, password_hash: str | None) -> Granted | None:
        wish = self.wishes.get(code_hash)
        if wish is None:
            return None
        if wish.account is not None:
            made = self.add(wish.account, password_hash or wish.password_hash)
            del self.wishes[code_hash]
            return Granted(made, goal=wish.goal)
        del self.wishes[code_hash]
        before = self.rows.get(wish.account_id)
        if before is None or self.revocations.version(wish.account_id) != wish.sessions:
            return None
        after = self.change(wish.account_id, lambda before: before.model_copy(update={"email": wish.email}))
        return Granted(after or before, before.email, wish.goal)


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
        return Credential(row.id, frozenset(row.roles), self.accounts.hashes[row.id], self.revocations.version(row.id))

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


@dataclass
class FakeEvents:
    """Listings by event id, and what was announced of them."""

    accounts: FakeAccounts
    rows: dict[UUID, Listing] = field(default_factory=dict)
    announced: list[Listing] = field(default_factory=list)

    def add(self, listing: Listing) -> None:
        if listing.event.id in self.rows:
            raise Refused("already-exists")
        if listing.event.organizer_id not in self.accounts.rows:
            raise Refused("unknown-account", "", Fault("there is no such account", "/organizerId"))
        self._store(listing)

    def get(self, event: UUID) -> Event | None:
        return self.rows[event].event if event in self.rows else None

    def name(self, event: UUID) -> str | None:
        return self.rows[event].event.title if event in self.rows else None

    def tickets(self, event: UUID) -> tuple[TicketType, ...] | None:
        return self.rows[event].tickets if event in self.rows else None

    def list(self, limit: int, after: Place | None, **choice: Any) -> list[Event]:
        def chosen(event: Event) -> bool:
            if choice["organizer"] not in (None, event.organizer_id) or choice["status"] not in (None, event.status):
                return False
            return choice["all_drafts"] or event.status != "DRAFT" or event.organizer_id == choice["drafts_of"]

        return newest((row.event for row in self.rows.values() if chosen(row.event)), limit, after)

    def delete(self, event: UUID, decide: Callable[[Listing], Listing]) -> bool:
        before = self.rows.get(event)
        if before is None:
            return False
        after = decide(before)
        self.announced.append(
            replace(after, event=after.event.model_copy(update={"version": before.event.version + 1}))
        )
        del self.rows[event]
        return True

    def ticket(self, ticket: UUID) -> TicketType | None:
        return next((row for listing in self.rows.values() for row in listing.tickets if row.id == ticket), None)

    def event_of(self, ticket: UUID) -> Event | None:
        found = self.ticket(ticket)
        return self.get(found.event_id) if found else None

    def change(self, event: UUID, decide: Callable[[Listing], Listing]) -> Listing | None:
        before = self.rows.get(event)
        if before is None:
            return None
        after = decide(before)
        after = replace(after, event=after.event.model_copy(update={"version": before.event.version + 1}))
        self._store(after)
        return after

    def _store(self, listing: Listing) -> None:
        self.rows[listing.event.id] = listing
        self.accounts.organizers.add(listing.event.organizer_id)
        self.announced.append(listing)


@dataclass
class FakeRegister:
    """Knows what the fakes know."""

    accounts: FakeAccounts
    events: FakeEvents
    forgotten: list[UUID] = field(default_factory=list)

    async def check_account(self, account: UUID) -> None:
        if account not in self.accounts.rows:
            raise Refused("unknown-account", "", Fault("there is no such account", "/accountId"))

    async def check_event(self, event: UUID, ticket_types: list[UUID]) -> None:
        known = self.events.tickets(event)
        if known is None:
            raise Refused("unknown-event", "", Fault("there is no such event", "/eventId"))
        ids = {ticket.id for ticket in known}
        faults = [Fault("no", f"/lines/{n}/ticketTypeId") for n, kind in enumerate(ticket_types) if kind not in ids]
        if faults:
            raise Refused("unknown-ticket-type", "", *faults)

    def forget(self, event: UUID) -> None:
        self.forgotten.append(event)


@dataclass
class FakeOffice:
    """Decides at once by ``rule``, or never; keeps what was handed in and how long the request would wait."""

    rule: Callable[[Any], Outcome | None] = lambda command: None
    handed_in: list[Any] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    down: bool = False
    full: bool = False
    later: Purchase | None = None

    def check_room(self) -> None:
        if self.full:
            raise Refused("busy", headers={"Retry-After": "1"})

    async def carry_out(self, command: BuyersCommand, wait: float) -> Outcome | None:
        if self.down:
            raise Unavailable("kafka")
        self.check_room()
        self.handed_in.append(command)
        self.waits.append(wait)
        return self.rule(command)

    async def watch(
        self,
        event: UUID,
        purchase: UUID,
        wait: float,
        look: Callable[[], Purchase | None],
        may_see: MaySee,
    ) -> Purchase | None:
        found = look()
        if found is not None and found.status != "pending":
            return found
        self.waits.append(wait)
        is_told = self.later is not None and self.later.account_id is not None and may_see(self.later.account_id)
        return self.later if is_told else look()

    async def is_new(self, event: UUID, purchase: UUID) -> bool:
        return self.accepted(event, purchase) is None

    def accepted(self, event: UUID, purchase: UUID) -> UUID | None:
        orders = [command for command in self.handed_in if isinstance(command, (Command, Hold))]
        known = {(command.event, command.purchase): command.account for command in orders}
        found: UUID | None = known.get((event, purchase))
        return found


@dataclass
class FakeHolders:
    """Tickets held, by account."""

    tickets: dict[UUID, int] = field(default_factory=dict)

    async def held(self, account: UUID) -> int:
        return self.tickets.get(account, 0)


@dataclass
class FakeSales:
    """Purchases by event and purchase, and the rows of any event's table."""

    rows: dict[tuple[UUID, UUID], Purchase] = field(default_factory=dict)
    table: list[tuple[object, ...]] = field(default_factory=list)
    down: bool = False

    def find(self, event: UUID, purchase: UUID, may_see: MaySee) -> Purchase | None:
        found = self.rows.get((event, purchase))
        is_own = found is not None and found.account_id is not None and may_see(found.account_id)
        if self.down and not is_own:
            raise Unavailable("worker")
        return found if is_own else None

    def of_account(self, account: UUID, limit: int, cursor: str | None) -> PurchaseList:
        return PurchaseList(items=[row for row in self.rows.values() if row.account_id == account][:limit])

    def of_event(self, event: UUID, limit: int, cursor: str | None) -> EventSales:
        items = [row for row in self.rows.values() if row.event_id == event][:limit]
        return EventSales(event_id=event, ticket_types=[], items=items)

    def table_of_event(self, event: UUID) -> Iterator[Sequence[object]]:
        yield ("purchase", "name")
        yield from self.table


@dataclass
class FakeAttendance:
    """So many people, and rows of any event's attendees."""

    reach: Reached = field(default_factory=lambda: Reached(0, 0))
    grown: Curve | None = None
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def reached(self, event: UUID) -> Reached:
        return self.reach

    def curve(self, event: UUID) -> Curve | None:
        return self.grown

    def attendees(self, event: UUID) -> Iterator[Sequence[object]]:
        yield ("lastName", "firstName")
        yield from self.rows


@dataclass
class FakeStock:
    """Events and ticket types that were bought."""

    bought: set[UUID] = field(default_factory=set)
    shelves: dict[UUID, Left] | None = field(default_factory=dict)

    def has_purchases(self, event: UUID, ticket: UUID | None = None) -> bool:
        return (ticket or event) in self.bought

    def left(self, event: UUID) -> dict[UUID, Left] | None:
        return self.shelves


@dataclass
class FakePost:
    """Keeps the mails."""

    mails: list[tuple[str, Mail]] = field(default_factory=list)
    down: bool = False
    dead: set[str] = field(default_factory=set)

    def __call__(self, address: str, mail: Mail) -> None:
        if self.down:
            raise Unavailable("mail")
        if address in self.dead:
            raise Refused("invalid-input", "", Fault("the mail server does not take this address", "/email"))
        self.mails.append((address, mail))


@dataclass
class FakeNotifications:
    """Mails by purchase; so many may be asked for."""

    rows: dict[tuple[UUID, UUID], list[Notification]] = field(default_factory=dict)
    asked: list[tuple[Notification, UUID]] = field(default_factory=list)
    most: int = 3

    def of(self, event: UUID, purchase: UUID) -> list[Notification]:
        return self.rows.get((event, purchase), [])

    def request(self, wanted: Notification, event: UUID, purchase: UUID, account: UUID) -> None:
        if len(self.asked) >= self.most:
            raise Refused("too-many-requests", headers={"Retry-After": "60"})
        self.asked.append((wanted, account))
        self.rows.setdefault((event, purchase), []).append(wanted)


@dataclass
class FakeIndex:
    """Keeps what was asked."""

    found: list[FoundEvent] = field(default_factory=list)
    asked: list[SearchQuery] = field(default_factory=list)
    typed: list[SuggestQuery] = field(default_factory=list)

    def search(self, asked: SearchQuery) -> FoundEvents:
        self.asked.append(asked)
        return FoundEvents(items=self.found)

    def suggest(self, asked: SuggestQuery) -> Suggestions:
        self.typed.append(asked)
        return Suggestions(items=[Suggestion(text=each.title, kind="event", id=each.id) for each in self.found])


@dataclass
class FakeBoard:
    """One snapshot, sent twice at most."""

    now: Snapshot = field(default_factory=lambda: Snapshot(NOW, Pace().report(NOW.timestamp()), (), unknown(), ()))

    async def glance(self) -> Snapshot:
        return self.now

    async def frames(self) -> AsyncIterator[bytes]:
        for _ in range(2):
            yield frame(self.now)


class Awaited:
    """The application ``inner`` (WSGI), whose deferred answers are awaited on the spot, and not by a server."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        started: list[Any] = []
        pieces = self.inner(environ, lambda *said: started.extend(said))
        deferred = environ.get(DEFERRED)
        if isinstance(deferred, AsyncIterator):
            start_response(*started)
            return [asyncio.run(joined(deferred))]
        if deferred is None:
            start_response(*started)
            return pieces  # type: ignore[no-any-return]
        pieces.close()
        reply = asyncio.run(deferred)
        headers = [(name.decode().title(), value.decode()) for name, value in reply.fields()]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [reply.body]


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    """All pieces."""
    return b"".join([piece async for piece in pieces])


@dataclass
class World:
    """All fakes and the application on them."""

    accounts: FakeAccounts
    resets: FakePasswordResets
    events: FakeEvents
    office: FakeOffice
    holders: FakeHolders
    sales: FakeSales
    index: FakeIndex
    notifications: FakeNotifications
    stock: FakeStock
    post: FakePost
    board: FakeBoard
    attendance: FakeAttendance
    probes: dict[str, Callable[[], object]]
    revocations: FakeRevocations
    tokens: Tokens
    links: LinkSigner
    app: Flask

    def client(self, account: UUID | str, *roles: Role) -> FlaskClient:
        """A client that is signed in as that account, and overwrites what others changed."""
        token, _ = self.tokens.issue(UUID(str(account)), frozenset({Role.BUYER, *roles}))
        client = self.app.test_client()
        client.environ_base["HTTP_IF_MATCH"] = "*"
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client


def make_world() -> World:
    """An application whose servers are all fakes and all up."""
    revocations = FakeRevocations()
    accounts = FakeAccounts(revocations=revocations)
    resets, events = FakePasswordResets(accounts), FakeEvents(accounts)
    office, sales, index, notifications = FakeOffice(), FakeSales(), FakeIndex(), FakeNotifications()
    holders = FakeHolders()
    probes: dict[str, Callable[[], object]] = {
        name: lambda: None for name in ("postgres", "kafka", "elasticsearch", "worker")
    }
    tokens, links = Tokens(["k" * 32], 900), LinkSigner(["l" * 32])
    stock, post, board, attendance = FakeStock(), FakePost(), FakeBoard(), FakeAttendance()
    ports = Ports(
        tokens=tokens,
        links=links,
        passwords=Passwords(Hasher(CHEAP)),
        quotas=Quotas(Tries(), lambda: 0.0, sign_in="250 per minute", sign_up="30 per hour", link="4 per minute"),
        credentials=FakeCredentials(accounts, revocations),
        revocations=revocations,
        accounts=accounts,
        password_resets=resets,
        events=events,
        register=FakeRegister(accounts, events),
        office=office,
        holders=holders,
        sales=sales,
        attendance=attendance,
        stock=stock,
        post=post,
        notifications=notifications,
        index=index,
        board=board,
        signer=TicketSigner(b"k" * 32),
        probes=probes,
        in_loop=asyncio.run,
        clock=lambda: NOW,
        new_id=uuid4,
        purchase_wait=1.5,
        hold_tickets_overall_max=60,
    )
    app = create_app(ports)
    app.wsgi_app = Awaited(app.wsgi_app)  # type: ignore[method-assign]
    return World(
        accounts,
        resets,
        events,
        office,
        holders,
        sales,
        index,
        notifications,
        stock,
        post,
        board,
        attendance,
        probes,
        revocations,
        tokens,
        links,
        app,
    )


Item = TypeVar("Item", bound=Listed)


def newest(items: Iterable[Item], limit: int, after: Place | None) -> list[Item]:
    """The page as PostgreSQL would give it."""
    ordered = sorted(items, key=lambda item: (item.created_at, item.id), reverse=True)
    return [it for it in ordered if after is None or (it.created_at, it.id) < (after.created_at, after.id)][:limit]


def confirmed(command: Command) -> Outcome:
    """The outcome that sells everything at 10.00 EUR."""
    lines = tuple(
        OutcomeLine(line.ticket_type, "Stalls", line.quantity, Decimal("10.00"), tuple("c" * line.quantity))
        for line in command.lines
    )
    total = MoneyAmount(sum((line.price * line.quantity for line in lines), Decimal(0)), "EUR")
    return outcome(command, OutcomeKind.CONFIRMED, lines=lines, total=total)


def rejected(reason: Reason, **figures: object) -> Callable[[Command], Outcome]:
    """A rule that rejects everything for one reason."""
    return lambda command: outcome(command, OutcomeKind.REJECTED, reason=reason, figures=figures)


def outcome(command: BuyersCommand, kind: OutcomeKind, **more: object) -> Outcome:
    """An outcome of the command."""
    fields: dict[str, object] = {
        "kind": kind,
        "event": command.event,
        "purchase": command.purchase,
        "account": command.account,
        "offset": 7,
        "at": NOW,
        "fingerprint": fingerprint(command.account, getattr(command, "lines", ()), "purchase"),
    }
    return Outcome(**fields | more)  # type: ignore[arg-type]

"""What the API needs of the world. Tests hand fakes to ``create_app``; api/adapters has the real ones.

A port raises Unavailable when its server does not answer, and Refused for what it finds to be wrong. What is a
coroutine belongs to the server's loop; all else may be called in any thread, and may wait there.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from api.auth.account_mails import Mail
from api.auth.passwords import Passwords
from api.auth.rate_limits import Quotas
from api.auth.tokens import Tokens
from api.board.snapshot import Snapshot
from api.roles import Role
from api.schemas.account import Account
from api.schemas.event import Event
from api.schemas.notification import Notification
from api.schemas.pagination import Place, Unshown
from api.schemas.purchase import Purchase, PurchaseList
from api.schemas.sales import EventSales
from api.schemas.search import FoundEvents, SearchQuery, Suggestions, SuggestQuery
from api.schemas.ticket import TicketType
from tables.ledger.availability import Availability
from tables.messages.commands import Buy as PurchaseCommand
from tables.messages.commands import Cancel, Confirm, Hold
from tables.messages.outcomes import Outcome
from tables.messages.statuses import EventStatus
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner

# Whether the caller may see what belongs to an account.
MaySee = Callable[[UUID], bool]
BuyersCommand = PurchaseCommand | Hold | Confirm | Cancel
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Listing:
    """An event with all of its ticket types: what is changed, versioned and announced as one."""

    event: Event
    tickets: tuple[TicketType, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """How an account signs in. Tokens made now have this version."""

    account: UUID
    roles: frozenset[Role]
    password_hash: str
    version: int


class Credentials(Protocol):
    """Who signs in with which password."""

    def find(self, email: str) -> Credential | None:
        """How the account of that address signs in; None where nobody can."""

    def rehash(self, known: Credential, password_hash: str) -> None:
        """Keep the same password at other costs, unless it was changed meanwhile."""


class Revocations(Protocol):
    """Whose sessions were ended."""

    def version(self, account: UUID) -> int:
        """The lowest version that tokens of the account may have. Asks no server."""

    def end_sessions(self, account: UUID) -> None:
        """Refuse every token that the account has now."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is done once an address is confirmed with a code or a link: ``account`` made, or its address changed.

    A change was asked for in ``sessions``, the version of the account's sessions, and ends with them.
    """

    code_hash: bytes
    account_id: UUID
    email: str
    account: Account | None = None
    password_hash: str | None = None
    sessions: int = 0
    link_hash: bytes = b""
    goal: str = "/"


@dataclass(frozen=True, slots=True)
class Granted:
    """The account as a code or a link made or changed it, and the path of the pages where its reader was going.

    ``old_email`` is the address that it had before a change; None where the account was made.
    """

    account: Account
    old_email: str | None = None
    goal: str = "/"


class Post(Protocol):
    """The way to a mail server."""

    def __call__(self, address: str, mail: Mail) -> None:
        """Hand over a mail. Refused: invalid-input for an address that is not taken."""


class Accounts(Protocol):
    """The accounts of the write model."""

    def add(self, account: Account, password_hash: str | None = None) -> Account:
        """Store a new account, which can sign in if it has a password. Refused: already-exists, email-taken."""

    def get(self, account: UUID) -> Account | None:
        """The account of that id."""

    def find(self, email: str) -> Account | None:
        """The account of that address, whichever way the address is written."""

    def list(self, limit: int, after: Place | None) -> Sequence[Account | Unshown]:
        """At most so many accounts, the newest first, after that place."""

    def change(self, account: UUID, decide: Callable[[Account], Account]) -> Account | None:
        """Replace an account by what ``decide`` makes of it. New roles end its sessions. Refused: email-taken."""

    def delete(self, account: UUID, check: Callable[[Account], None]) -> bool:
        """Whether there was such an account, which is gone then, with its sessions. Refused: has-events."""

    def set_password(self, account: UUID, password_hash: str) -> bool:
        """Whether there is such an account, which has this password then and no sessions."""

    def keep(self, wish: Wish) -> None:
        """Keep a wish until its address is confirmed, for a day."""

    def grant(self, code_hash: bytes, now: datetime) -> Granted | None:
        """Grant the wish of that code, once; None if there is none, or its sessions ended. Refused: email-taken."""

    def wish(self, link_hash: bytes) -> Wish | None:
        """The wish of that link, which is not granted yet."""

    def grant_by_link(self, link_hash: bytes, now: datetime, password_hash: str | None = None) -> Granted | None:
        """Grant the wish of that link, as by its code; with this password in place of its own if one is given."""


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """A link to a new password, by its hash, that was mailed to an account's address."""

    link_hash: bytes
    account_id: UUID
    email: str


class PasswordResets(Protocol):
    """Who asked for a new password."""

    def keep(self, reset: PasswordReset) -> None:
        """Keep it until its link is used, for an hour. It ends with the sessions that the account has now."""

    def find(self, link_hash: bytes) -> Account | None:
        """The account that gets a new password by that link, if the link is still good."""

    def grant(self, link_hash: bytes, password_hash: str) -> Account | None:
        """Give the account of that link its new password, once, and end its sessions. None if the link is not good."""


class Events(Protocol):
    """The events of the write model, with their ticket types."""

    def add(self, listing: Listing) -> None:
        """Store a new event with its ticket types and announce it. Refused: already-exists, unknown-account."""

    def get(self, event: UUID) -> Event | None:
        """The event of that id."""

    def name(self, event: UUID) -> str | None:
        """The title of the event of that id."""

    def tickets(self, event: UUID) -> tuple[TicketType, ...] | None:
        """The ticket types of an event in their order; None without the event."""

    def ticket(self, ticket: UUID) -> TicketType | None:
        """The ticket type of that id."""

    def event_of(self, ticket: UUID) -> Event | None:
        """The event that has the ticket type of that id."""

    def list(
        self,
        limit: int,
        after: Place | None,
        *,
        organizer: UUID | None,
        status: EventStatus | None,
        drafts_of: UUID | None,
        all_drafts: bool,
    ) -> Sequence[Event | Unshown]:
        """At most so many events, the newest first, after that place. Drafts only of ``drafts_of``, or all."""

    def delete(self, event: UUID, decide: Callable[[Listing], Listing]) -> bool:
        """Whether there was such an event, which is gone then; what ``decide`` makes of it is announced last."""

    def change(self, event: UUID, decide: Callable[[Listing], Listing]) -> Listing | None:
        """Replace a listing by what ``decide`` makes of it, and announce it under the next version.

        Nobody else changes the event meanwhile. What ``decide`` raises leaves everything as it was.
        """


class Register(Protocol):
    """Who may buy what: asked before anything is written to the log."""

    async def check_account(self, account: UUID) -> None:
        """Refused: unknown-account."""

    async def check_event(self, event: UUID, ticket_types: list[UUID]) -> None:
        """Refused: unknown-event, unknown-ticket-type; the fault points into the purchase's body.

        After it the ledger will know the event and the ticket types by the time that it comes to the purchase.
        """

    def forget(self, event: UUID) -> None:
        """The event has changed; it is to be read again before the next purchase."""


class TicketOffice(Protocol):
    """The way to the ledger."""

    def check_room(self) -> None:
        """Refused: busy, where no more requests may wait."""

    async def carry_out(self, command: BuyersCommand, wait: float) -> Outcome | None:
        """Hand in a command and wait for its decision.

        None means: in the log for good, undecided after ``wait`` seconds. Refused: still-running, busy, sold-out
        where that is known without asking. Unavailable: not known to be in the log.
        """

    async def watch(
        self,
        event: UUID,
        purchase: UUID,
        wait: float,
        look: Callable[[], Purchase | None],
        may_see: MaySee,
    ) -> Purchase | None:
        """What ``look`` finds now; if that is nothing or pending, the decision of the next ``wait`` seconds.

        A decision on the purchase of an account that the caller may not see ends no wait.
        """

    async def is_new(self, event: UUID, purchase: UUID) -> bool:
        """Whether there is surely no purchase of this id yet; False also where nobody can tell."""

    def accepted(self, event: UUID, purchase: UUID) -> UUID | None:
        """Whose purchase it is, if this process lately put it into the log and had no decision in time."""


class Holders(Protocol):
    """Who holds tickets."""

    async def held(self, account: UUID) -> int:
        """The tickets that an account is known to hold, over all events."""


class Sales(Protocol):
    """Purchases as they stand."""

    def find(self, event: UUID, purchase: UUID, may_see: MaySee) -> Purchase | None:
        """The purchase, from the projection or from the worker that decided it.

        One of an account that may not be seen is looked for, and missed, as one that never was.
        """

    def of_account(self, account: UUID, limit: int, cursor: str | None) -> PurchaseList:
        """An account's purchases, the newest first. Refused: invalid-input for a cursor that is none."""

    def of_event(self, event: UUID, limit: int, cursor: str | None) -> EventSales:
        """An event's purchases and what they add up to. Refused: invalid-input for a cursor that is none."""

    def table_of_event(self, event: UUID) -> Iterator[Sequence[object]]:
        """Every line of every purchase of an event, read as it is taken; the first one tells the columns."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Who is told when an event changes: people, and their purchases, each of which is told of."""

    people: int
    purchases: int


@dataclass(frozen=True, slots=True)
class Curve:
    """How many tickets of each type were sold by when, of those that are sold now.

    Each step is its share of the time between the first and the last purchase, 0 to 1, and the tickets up to then.
    """

    begins: datetime
    ends: datetime
    types: Mapping[UUID, tuple[tuple[float, int], ...]]


class Attendance(Protocol):
    """Who comes to an event, and since when."""

    def reached(self, event: UUID) -> Reached:
        """Who has tickets or a hold, and is told of changes."""

    def curve(self, event: UUID) -> Curve | None:
        """How sales grew; None where nothing is sold."""

    def attendees(self, event: UUID) -> Iterator[Sequence[object]]:
        """A row for each ticket type of each purchase, by name; the first row tells the columns."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a ticket type, and how it stands in one word."""

    state: Availability
    available: int


class Stock(Protocol):
    """What was bought of an event."""

    def has_purchases(self, event: UUID, ticket: UUID | None = None) -> bool:
        """Whether there are purchases of the event, or of its ticket type, refused ones left out."""

    def left(self, event: UUID) -> Mapping[UUID, Left] | None:
        """What is left of each ticket type, a second old at most; None where nobody can tell."""


class Notifications(Protocol):
    """The mails of purchases."""

    def of(self, event: UUID, purchase: UUID) -> list[Notification]:
        """The mails of a purchase, the oldest first."""

    def request(self, wanted: Notification, event: UUID, purchase: UUID, account: UUID) -> None:
        """Ask for one more. Refused: too-many-requests. Unavailable: it will not be sent."""


class SearchIndex(Protocol):
    """The searchable copy of the events."""

    def search(self, asked: SearchQuery) -> FoundEvents:
        """One page of events. Refused: invalid-input for a cursor of another search."""

    def suggest(self, asked: SuggestQuery) -> Suggestions:
        """What the typed words may become."""


class Board(Protocol):
    """What the pipeline does now, for those who watch it."""

    async def glance(self) -> Snapshot:
        """The board as it is now; parts that had to be asked first come with a later look."""

    def frames(self) -> AsyncIterator[bytes]:
        """A server-sent event each second, for the loop. Refused: busy."""


class Probe(Protocol):
    """Asks one server whether it answers; raises anything at all when it does not."""

    def __call__(self) -> object: ...


class InLoop(Protocol):
    """Has the server's loop carry out a coroutine, for a thread that waits for it. Refused: busy."""

    def __call__(self, coroutine: Coroutine[Any, Any, Result], /) -> Result: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All of them. ``probes`` has one per server, by the name that /health/ready shows."""

    tokens: Tokens
    links: LinkSigner
    passwords: Passwords
    quotas: Quotas
    credentials: Credentials
    revocations: Revocations
    post: Post
    accounts: Accounts
    password_resets: PasswordResets
    events: Events
    register: Register
    office: TicketOffice
    holders: Holders
    sales: Sales
    attendance: Attendance
    stock: Stock
    notifications: Notifications
    index: SearchIndex
    board: Board
    signer: TicketSigner
    probes: Mapping[str, Probe]
    in_loop: InLoop
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    purchase_wait: float = 2.0
    hold_seconds: int = 600
    hold_tickets_overall_max: int = 0
    session_seconds: int = 28_800
    mail_domain: str = "turnstile.example"
    site_url: str = "http://127.0.0.1:9000"

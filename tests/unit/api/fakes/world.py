"""An application on fakes of all ports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from copy import copy
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.auth.passwords import Hasher, Passwords
from api.auth.rate_limits import FreeTries, RateLimits
from api.auth.tokens import Tokens
from api.ports.ports import Ports
from api.roles import Role
from api.schemas.account import Account
from api.web.deferred import DEFERRED
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner
from tests.unit.api.fakes.accounts import CHEAP, FakeAccounts, FakeCredentials, FakePasswordResets, FakeRevocations
from tests.unit.api.fakes.board import FakeBoard
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.events import FakeEvents
from tests.unit.api.fakes.ledger import FakeCatalogue, FakeHolders, FakeLedger
from tests.unit.api.fakes.mail import FakeMailer, FakeNotifications
from tests.unit.api.fakes.payments import FakePayments
from tests.unit.api.fakes.sales import FakeAttendance, FakeSales, FakeStock
from tests.unit.api.fakes.search import FakeIndex
from tests.unit.api.fakes.seating import FakeSeatings


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
    seating: FakeSeatings
    ledger: FakeLedger
    holders: FakeHolders
    sales: FakeSales
    index: FakeIndex
    notifications: FakeNotifications
    payments: FakePayments
    stock: FakeStock
    mailer: FakeMailer
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

    def add_account(self, *roles: Role, email: str, password: str) -> UUID:
        """An account with this password, made without a request, which takes milliseconds to judge the password."""
        account = Account(
            id=uuid4(),
            first_name="Ada",
            last_name="Lovelace",
            email=email,
            locale="en",
            roles=sorted({Role.BUYER, *roles}),
            version=1,
            created_at=NOW,
            updated_at=NOW,
        )
        return self.accounts.add(account, CHEAP.hash(password)).id


def application_on(ports: Ports) -> Flask:
    """The application on these ports. Routes and templates are shared by all, since making them takes 30 ms."""
    app = copy(_application())
    app.extensions = {"turnstile": ports}
    return app


@cache
def _application() -> Flask:
    return create_app(cast("Ports", None))


def make_world() -> World:
    """An application whose servers are all fakes and all up."""
    revocations = FakeRevocations()
    accounts = FakeAccounts(revocations=revocations)
    resets, events = FakePasswordResets(accounts), FakeEvents(accounts)
    seating = FakeSeatings(events)
    ledger, sales, index, notifications = FakeLedger(), FakeSales(), FakeIndex(), FakeNotifications()
    holders, payments = FakeHolders(), FakePayments(sales.rows)
    probes: dict[str, Callable[[], object]] = {
        name: lambda: None for name in ("postgres", "kafka", "elasticsearch", "worker")
    }
    tokens, links = Tokens(["k" * 32], 900, NOW.timestamp), LinkSigner(["l" * 32])
    stock, mailer, board, attendance = FakeStock(), FakeMailer(), FakeBoard(), FakeAttendance()
    ports = Ports(
        tokens=tokens,
        links=links,
        passwords=Passwords(Hasher(CHEAP)),
        rate_limits=RateLimits(
            FreeTries(), lambda: 0.0, sign_in="250 per minute", sign_up="30 per hour", link="4 per minute"
        ),
        credentials=FakeCredentials(accounts, revocations),
        revocations=revocations,
        accounts=accounts,
        password_resets=resets,
        events=events,
        seating=seating,
        catalogue=FakeCatalogue(accounts, events),
        ledger=ledger,
        holders=holders,
        sales=sales,
        attendance=attendance,
        stock=stock,
        mailer=mailer,
        notifications=notifications,
        payments=payments,
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
    app = application_on(ports)
    app.wsgi_app = Awaited(app.wsgi_app)  # type: ignore[method-assign]
    return World(
        accounts,
        resets,
        events,
        seating,
        ledger,
        holders,
        sales,
        index,
        notifications,
        payments,
        stock,
        mailer,
        board,
        attendance,
        probes,
        revocations,
        tokens,
        links,
        app,
    )

"""All ports of one application."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import current_app

from api.auth.passwords import Passwords
from api.auth.rate_limits import RateLimits
from api.auth.tokens import Tokens
from api.ports.accounts import Accounts, PasswordResets
from api.ports.board import Board
from api.ports.credentials import Credentials, Revocations
from api.ports.events import Events
from api.ports.ledger import CatalogueCheck, Holders, LedgerGateway
from api.ports.mail import AccountMailer, Notifications
from api.ports.payments import Payments
from api.ports.sales import Attendance, Sales, StockLevels
from api.ports.search import EventSearch
from api.ports.server import InLoop, Probe
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports. ``probes`` has one for each server, by its name at /health/ready."""

    tokens: Tokens
    links: LinkSigner
    passwords: Passwords
    rate_limits: RateLimits
    credentials: Credentials
    revocations: Revocations
    mailer: AccountMailer
    accounts: Accounts
    password_resets: PasswordResets
    events: Events
    catalogue: CatalogueCheck
    ledger: LedgerGateway
    holders: Holders
    sales: Sales
    attendance: Attendance
    stock: StockLevels
    notifications: Notifications
    payments: Payments
    index: EventSearch
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


def ports() -> Ports:
    """The ports of the application that handles the request."""
    found: Ports = current_app.extensions["turnstile"]
    return found

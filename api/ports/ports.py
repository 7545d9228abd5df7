"""All ports of one application."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from api.auth.passwords import Passwords
from api.auth.rate_limits import RateLimits
from api.ports.accounts import Accounts, PasswordResets
from api.ports.board import Board
from api.ports.credentials import Credentials
from api.ports.events import Events
from api.ports.mail import AccountMailer, Notifications
from api.ports.payments import Payments
from api.ports.purchasing import PurchasePorts
from api.ports.sales import Attendance, Sales, StockLevels
from api.ports.search import EventSearch
from api.ports.seating import Seatings
from api.ports.server import InLoop, Probe
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports(PurchasePorts):
    """The ports of purchases and all others. ``probes`` has one for each server, by its name at /health/ready."""

    links: LinkSigner
    passwords: Passwords
    rate_limits: RateLimits
    credentials: Credentials
    mailer: AccountMailer
    accounts: Accounts
    password_resets: PasswordResets
    events: Events
    seating: Seatings
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
    new_id: Callable[[], UUID]
    session_seconds: int = 28_800
    mail_domain: str = "turnstile.example"
    site_url: str = "http://127.0.0.1:9000"


def ports() -> Ports:
    """The ports of the application that handles the request."""
    found: Ports = current_app.extensions["turnstile"]
    return found

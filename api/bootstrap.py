"""Opens the adapters of all ports, by the settings."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from api.adapters.board_feed import BoardFeed
from api.adapters.catalogue_check import CatalogueRows
from api.adapters.elasticsearch import EventIndex, make_client
from api.adapters.ledger.client import LedgerClient
from api.adapters.ledger.command_producer import CommandProducer
from api.adapters.ledger.known_purchases import KnownPurchases
from api.adapters.ledger.outcome_consumer import OutcomeConsumer, OutcomeFanout
from api.adapters.ledger.pending_requests import PendingRequests
from api.adapters.ledger.sold_out_cache import SoldOutCache
from api.adapters.ledger.worker_views import WorkerViews
from api.adapters.payments import PaymentRows
from api.adapters.pipeline_probe import PipelineProbe
from api.adapters.postgres.accounts import AccountRows
from api.adapters.postgres.attendance import AttendanceRows
from api.adapters.postgres.credentials import CredentialRows
from api.adapters.postgres.database import Database
from api.adapters.postgres.events import EventRows
from api.adapters.postgres.holders import HolderRows
from api.adapters.postgres.notifications import NotificationRows
from api.adapters.postgres.password_resets import PasswordResetRows
from api.adapters.postgres.revocations import RevocationRows
from api.adapters.postgres.seatings import SeatingRows
from api.adapters.sales import PurchaseRows
from api.adapters.smtp import SmtpMailer
from api.adapters.stock import LedgerStock
from api.auth.passwords import Passwords
from api.auth.rate_limits import LINKS_TRIED, FreeTries, RateLimits
from api.auth.tokens import Tokens
from api.ports.ports import Ports
from api.web.wsgi_threads import LoopCaller
from connect.client_options import client_options
from connect.topics import PAYMENT_EVENTS, RESENDS
from providers.configured import providers_of
from settings import Settings
from tables.ids import id_bytes
from tables.mail.message import sender_of
from tables.messages.mail_requests import Resend, encode_resend
from tables.messages.payment_events import OWN_KINDS, PaymentEvent, encode_payment_event
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner
from telemetry.metrics.api import PURCHASES_WAITING
from telemetry.metrics.definition import Metric

# Each list of sales that is being downloaded has a connection for as long as that takes.
EXPORT_MAX_CONNECTIONS: Final = 4
READY_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Servers:
    """The ports, whether purchases can be sold, how to close what is behind them, and gauges to read at any time."""

    ports: Ports
    is_ready: Callable[[], bool]
    closers: tuple[Callable[[], Awaitable[None] | None], ...]
    gauges: Mapping[Metric, Callable[[], float]]

    async def wait(self, seconds: float) -> None:
        """Return once purchases can be sold, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while not self.is_ready() and time.monotonic() < deadline:  # noqa: ASYNC110 (threads set it)
            await asyncio.sleep(READY_POLL_S)

    async def close(self) -> None:
        for close in self.closers:
            closing = close()
            if closing is not None:
                await closing


def open_servers(settings: Settings) -> Servers:
    """Begin to connect to every server, in the loop. None has to be up yet."""
    database = Database(settings.database_url.get_secret_value())
    exports = Database(settings.database_url.get_secret_value(), connections_max=EXPORT_MAX_CONNECTIONS)
    views = WorkerViews(settings)
    producer = CommandProducer(client_options(settings), settings.partitions)
    events, seating = EventRows(database), SeatingRows(database)
    index = EventIndex(make_client(settings))
    board = BoardFeed(PipelineProbe(settings, database, index, views))
    ledger = _ledger(settings, producer, views, board)
    tokens = Tokens(settings.signing_keys(), settings.token_seconds)
    in_loop = LoopCaller(asyncio.get_running_loop())

    def resend(request: Resend) -> None:
        in_loop(producer.send(RESENDS, id_bytes(request.event), encode_resend(request)))

    async def tell(*events: PaymentEvent) -> None:
        values = [encode_payment_event(event) for event in events]
        is_webhook = not any(event.kind in OWN_KINDS for event in events)
        await producer.send(PAYMENT_EVENTS, id_bytes(events[0].purchase), *values, is_background=is_webhook)

    revocations = RevocationRows(database, max(settings.token_seconds, settings.session_seconds))
    ports = Ports(
        tokens=tokens,
        links=LinkSigner(settings.link_keys()),
        passwords=Passwords(),
        rate_limits=RateLimits(
            FreeTries(settings.sign_in_tries, settings.sign_up_tries),
            sign_in=settings.sign_in_limit,
            sign_up=settings.sign_up_limit,
            link=LINKS_TRIED,
        ),
        credentials=CredentialRows(database),
        revocations=revocations,
        mailer=SmtpMailer(settings),
        accounts=AccountRows(database, revocations.learn),
        password_resets=PasswordResetRows(database, revocations.learn),
        events=events,
        seating=seating,
        catalogue=CatalogueRows(database, events.listing, seating.pieces, producer.announce),
        ledger=ledger,
        holders=HolderRows(database),
        sales=PurchaseRows(database, exports, views),
        attendance=AttendanceRows(database, exports),
        stock=LedgerStock(database, views),
        notifications=NotificationRows(database, resend),
        payments=PaymentRows(database, tell, providers_of(settings)),
        index=index,
        board=board,
        signer=TicketSigner(settings.ticket_key.get_secret_value().encode()),
        probes={
            "postgres": database.probe,
            "kafka": ledger.probe,
            "elasticsearch": index.probe,
            "worker": views.probe,
        },
        in_loop=in_loop,
        clock=lambda: datetime.now(UTC),
        new_id=uuid4,
        purchase_wait=settings.purchase_wait,
        hold_seconds=settings.hold_seconds,
        hold_tickets_overall_max=settings.hold_tickets_overall_max,
        session_seconds=settings.session_seconds,
        site_url=settings.site_url,
        mail_domain=sender_of(settings.mail_from).domain,
    )
    database.open()
    exports.open()
    revocations.open()
    ledger.open()
    closers = (revocations, board, ledger, database, exports, views, index)
    return Servers(
        ports,
        lambda: ledger.is_ready and revocations.is_known,
        tuple(server.close for server in closers),
        {PURCHASES_WAITING: lambda: ledger.waiting},
    )


def _ledger(settings: Settings, producer: CommandProducer, views: WorkerViews, board: BoardFeed) -> LedgerClient:
    pending, sold_out = PendingRequests(), SoldOutCache()
    fanout = OutcomeFanout(sold_out.read, board.read, pending.read)
    consumer = OutcomeConsumer(client_options(settings), fanout)
    known = KnownPurchases(views.on_record)
    return LedgerClient(producer, consumer, pending, sold_out, known, settings.most_waiting)

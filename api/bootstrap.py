"""The ports made of real servers, by the settings."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from api.adapters.board_feed import BoardFeed
from api.adapters.catalogue_check import RegisterRows
from api.adapters.elasticsearch import EventIndex, make_client
from api.adapters.ledger.client import KafkaOffice
from api.adapters.ledger.command_producer import CommandLog
from api.adapters.ledger.known_purchases import Census
from api.adapters.ledger.outcome_consumer import OutcomeFollower
from api.adapters.ledger.pending_requests import Waiters
from api.adapters.ledger.sold_out_cache import SoldOut
from api.adapters.ledger.worker_views import WorkerViews
from api.adapters.pipeline_probe import PipelineSources
from api.adapters.postgres.accounts import AccountRows
from api.adapters.postgres.attendance import AttendanceRows
from api.adapters.postgres.credentials import CredentialRows
from api.adapters.postgres.database import Database
from api.adapters.postgres.events import EventRows
from api.adapters.postgres.holders import HolderRows
from api.adapters.postgres.notifications import NotificationRows
from api.adapters.postgres.password_resets import PasswordResetRows
from api.adapters.postgres.revocations import RevocationRows
from api.adapters.sales import PurchaseRows
from api.adapters.smtp import Post
from api.adapters.stock import Stock
from api.auth.passwords import Passwords
from api.auth.rate_limits import LINKS_TRIED, Quotas, Tries
from api.auth.tokens import Tokens
from api.http.bridge import Bridge
from api.ports.ports import Ports
from connect.topics import RESENDS
from settings import Settings
from tables.mail.message import sender_of
from tables.messages.mail_requests import Resend, encode_resend
from tables.signing.links import LinkSigner
from tables.signing.tickets import TicketSigner
from telemetry.metrics.api import PURCHASES_WAITING
from telemetry.metrics.definition import Metric

# Lists of sales that are being written at once; each has a connection for as long as its reader takes.
MOST_EXPORTS: Final = 4
PAUSE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Servers:
    """The ports, how to let go of what is behind them, and figures to be read at any time."""

    ports: Ports
    is_ready: Callable[[], bool]
    closers: tuple[Callable[[], Awaitable[None] | None], ...]
    gauges: Mapping[Metric, Callable[[], float]]

    async def wait(self, seconds: float) -> None:
        """Return once purchases can be sold, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while not self.is_ready() and time.monotonic() < deadline:  # noqa: ASYNC110 (threads have a part in it)
            await asyncio.sleep(PAUSE_S)

    async def close(self) -> None:
        """Disconnect from all servers."""
        for close in self.closers:
            closing = close()
            if closing is not None:
                await closing


def open_servers(settings: Settings) -> Servers:
    """Begin to connect to every server, in the loop. None need be up yet."""
    database = Database(settings.database_url.get_secret_value())
    exports = Database(settings.database_url.get_secret_value(), most=MOST_EXPORTS)
    views = WorkerViews(settings.worker_urls)
    log = CommandLog(settings.kafka_servers)
    events = EventRows(database)
    index = EventIndex(make_client(settings))
    board = BoardFeed(PipelineSources(settings, database, index, views))
    office = _office(settings, log, views, board)
    tokens = Tokens(settings.signing_keys(), settings.token_seconds)
    in_loop = Bridge(asyncio.get_running_loop())

    def resend(wanted: Resend) -> None:
        in_loop(log.send(RESENDS, str(wanted.event).encode(), encode_resend(wanted)))

    revocations = RevocationRows(database, max(settings.token_seconds, settings.session_seconds))
    ports = Ports(
        tokens=tokens,
        links=LinkSigner(settings.link_keys()),
        passwords=Passwords(),
        quotas=Quotas(
            Tries(settings.sign_in_tries, settings.sign_up_tries),
            sign_in=settings.sign_in_limit,
            sign_up=settings.sign_up_limit,
            link=LINKS_TRIED,
        ),
        credentials=CredentialRows(database),
        revocations=revocations,
        post=Post(settings),
        accounts=AccountRows(database, revocations.learn),
        password_resets=PasswordResetRows(database, revocations.learn),
        events=events,
        register=RegisterRows(database, events, log.announce),
        office=office,
        holders=HolderRows(database),
        sales=PurchaseRows(database, exports, views),
        attendance=AttendanceRows(database, exports),
        stock=Stock(database, views),
        notifications=NotificationRows(database, resend),
        index=index,
        board=board,
        signer=TicketSigner(settings.ticket_key.get_secret_value().encode()),
        probes={
            "postgres": database.probe,
            "kafka": office.probe,
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
    office.open()
    closers = (revocations, board, office, database, exports, views, index)
    return Servers(
        ports,
        lambda: office.is_ready and revocations.is_known,
        tuple(server.close for server in closers),
        {PURCHASES_WAITING: lambda: office.waiting},
    )


def _office(settings: Settings, log: CommandLog, views: WorkerViews, board: BoardFeed) -> KafkaOffice:
    waiters, sold_out = Waiters(), SoldOut()

    def deliver(key: bytes | None, value: bytes | None) -> None:
        sold_out.watch(key, value)
        board.count(key, value)
        waiters.deliver(value)

    follower = OutcomeFollower(settings.kafka_servers, deliver)
    return KafkaOffice(log, follower, waiters, sold_out, Census(views.on_record), settings.most_waiting)

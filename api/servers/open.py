"""The ports made of real servers, by the settings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from api.passwords import Passwords
from api.ports import Ports
from api.quotas import Quotas
from api.servers.accounts import AccountRows
from api.servers.credentials import CredentialRows
from api.servers.database import Database
from api.servers.events import EventRows
from api.servers.index import EventIndex, make_client
from api.servers.log import CommandLog
from api.servers.notifications import NotificationRows, ResendLog
from api.servers.office import KafkaOffice
from api.servers.outcomes import OutcomeFollower
from api.servers.post import Post
from api.servers.register import RegisterRows
from api.servers.revocations import RevocationRows
from api.servers.sales import PurchaseRows, WorkerViews
from api.servers.stock import Stock
from api.servers.waiters import Waiters
from api.tokens import Tokens
from settings import Settings


@dataclass(frozen=True, slots=True)
class Servers:
    """The ports, and how to let go of what is behind them."""

    ports: Ports
    closers: tuple[Callable[[], None], ...]

    def close(self) -> None:
        """Disconnect from all servers."""
        for close in self.closers:
            close()


def open_servers(settings: Settings) -> Servers:
    """Begin to connect to every server. None need be up yet."""
    database = Database(settings.database_url.get_secret_value())
    waiters = Waiters()
    follower = OutcomeFollower(settings.kafka_servers, waiters.deliver)
    office = KafkaOffice(CommandLog(settings.kafka_servers), follower, waiters)
    views = WorkerViews(settings.worker_url)
    stock = Stock(database, settings.worker_url)
    resends = ResendLog(settings.kafka_servers)
    index = EventIndex(make_client(settings))
    tokens = Tokens(settings.signing_keys(), settings.token_seconds)
    revocations = RevocationRows(database, settings.token_seconds)
    ports = Ports(
        tokens=tokens,
        passwords=Passwords(),
        quotas=Quotas(sign_in=settings.sign_in_limit, sign_up=settings.sign_up_limit),
        credentials=CredentialRows(database),
        revocations=revocations,
        post=Post(settings),
        accounts=AccountRows(database, revocations.learn),
        events=EventRows(database),
        register=RegisterRows(database),
        office=office,
        sales=PurchaseRows(database, views),
        stock=stock,
        notifications=NotificationRows(database, resends),
        index=index,
        probes={
            "postgres": database.probe,
            "kafka": office.probe,
            "elasticsearch": index.probe,
            "worker": views.probe,
        },
        clock=lambda: datetime.now(UTC),
        new_id=uuid4,
        purchase_wait=settings.purchase_wait,
    )
    database.open()
    revocations.open()
    office.open()
    return Servers(
        ports, (revocations.close, office.close, database.close, views.close, stock.close, resends.close, index.close)
    )

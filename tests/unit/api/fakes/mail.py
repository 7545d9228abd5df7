"""Mails, kept and not sent."""

from dataclasses import dataclass, field
from uuid import UUID

from api.auth.account_mails import ComposedMail
from api.problems import Fault, Refused, Unavailable
from api.schemas.notification import Notification


@dataclass
class FakeMailer:
    """Keeps the mails."""

    mails: list[tuple[str, ComposedMail]] = field(default_factory=list)
    down: bool = False
    dead: set[str] = field(default_factory=set)

    def __call__(self, address: str, mail: ComposedMail) -> None:
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

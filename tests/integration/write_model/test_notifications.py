"""Mails that are asked for again, in a real database: counted, limited, and only if the log has them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.adapters.postgres.database import Database
from api.adapters.postgres.notifications import RESENDS_MAX, NotificationRows
from api.problems import Refused, Unavailable
from api.schemas.notification import Notification
from tables.messages.mail_requests import Resend
from tests.integration.write_model.conftest import Scratch

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
EVENT, PURCHASE, ACCOUNT = (UUID(int=number) for number in (1, 2, 3))


@dataclass
class Log:
    """Keeps what is asked for, unless it is down."""

    down: bool = False
    asked: list[Resend] = field(default_factory=list)

    def append(self, resend: Resend) -> None:
        if self.down:
            raise Unavailable("kafka")
        self.asked.append(resend)


def wanted(at: datetime = NOW) -> Notification:
    return Notification(id=uuid4(), kind="confirmed", status="requested", requested_at=at, at=at)


def rows_on(database: Database, log: Log) -> NotificationRows:
    return NotificationRows(database, log.append)


def ask(rows: NotificationRows, at: datetime = NOW, purchase: UUID = PURCHASE) -> Any:
    try:
        rows.request(wanted(at), EVENT, purchase, ACCOUNT)
    except Refused as refusal:
        return refusal.kind
    return "asked"


def test_so_many_times_a_day_for_each_purchase(database: Database) -> None:
    log = Log()
    rows = rows_on(database, log)

    first = [ask(rows, NOW + timedelta(minutes=number)) for number in range(RESENDS_MAX + 1)]
    another = ask(rows, purchase=uuid4())
    with pytest.raises(Refused) as refusal:
        rows.request(wanted(NOW + timedelta(hours=23, minutes=59)), EVENT, PURCHASE, ACCOUNT)
    next_day = ask(rows, NOW + timedelta(days=1, seconds=1))

    assert [*first, another, next_day] == ["asked"] * RESENDS_MAX + ["too-many-requests", "asked", "asked"]
    assert refusal.value.headers == {"Retry-After": "60"}
    assert len(log.asked) == RESENDS_MAX + 2
    assert [mail.status for mail in rows.of(EVENT, PURCHASE)] == ["requested"] * (RESENDS_MAX + 1)


def test_a_crowd_that_asks_at_once_gets_no_more(database: Database) -> None:
    log = Log()
    rows = rows_on(database, log)
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: ask(rows), range(8)))
    assert answers.count("asked") == len(log.asked) == RESENDS_MAX


def test_what_the_log_did_not_take_is_not_counted(database: Database, scratch: Scratch) -> None:
    log = Log(down=True)
    rows = rows_on(database, log)
    with pytest.raises(Unavailable):
        ask(rows)
    assert scratch.rows("SELECT count(*) FROM notification") == [(0,)]

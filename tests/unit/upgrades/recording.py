"""``python -m tests.unit.upgrades.recording``: records what today's code writes, for all later versions.

A recording is never changed; the next one is a new folder. Make one with every release that writes something new.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from connect.topics import (
    ACCOUNT_ROWS,
    COMMANDS,
    DEFAULT_PRODUCERS,
    DELIVERIES,
    EVENT_ROWS,
    EVENT_STATUS,
    JOBS,
    OUTCOMES,
    PAYMENT_EVENTS,
    PAYMENT_REQUESTS,
    PURCHASE_UPSERTS,
    RESENDS,
    RETRIES,
    answers,
    requests,
)
from streams.mail.contacts import Contact, _encode
from tables.gate.records import (
    PAGE_REQUESTS,
    AnsweredPage,
    QuotaRecord,
    RequestRecord,
    checked_key,
    encode_record,
    page_key,
    quota_key,
)
from tables.ledger.event_replay import LogCommand
from tables.ledger.ledger import Ledger
from tables.ledger.records import WATERMARK_KEY, Watermark, digest_of, encode_watermark
from tables.messages.answers import Answer, AnswerStatus, decided, encode_answer
from tables.messages.commands import Buy, Cancel, Confirm, DefineEvent, Hold, decode_command, encode_command
from tables.messages.deliveries import Delivery, DeliveryStatus, encode_delivery
from tables.messages.mail_jobs import encode_job
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import Resend, encode_resend
from tables.messages.outcomes import Outcome, encode_outcome
from tables.messages.payment_events import PaymentEvent, PaymentEventKind, encode_payment_event
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind, encode_payment_request
from tables.messages.purchase_upserts import encode_upsert, upsert_of
from tables.messages.request_origins import RequestOrigin
from tables.payments.payment import apply
from tables.payments.records import encode_payment, payment_key
from tests.unit.tables.bookings.test_unit_of_work import Notifier
from tests.unit.tables.ledger_driver import ADA, CODES, EVENT
from tests.unit.tables.random_logs import random_log
from tests.unit.upgrades.formats import TYPES
from tests.unit.upgrades.schemas import RENAMED, Fields, schemas_of

FOLDER: Final = Path(__file__).parent / "recorded"
# A log that has every kind of command and of outcome, and holds that a limit refused.
SEED, LENGTH = 417, 160


@dataclass(frozen=True)
class Recording:
    """One folder: the log with its times, its outcomes and records, samples of all other messages, the schemas."""

    folder: Path

    def log(self) -> list[LogCommand]:
        lines = self._lines("log")
        return [LogCommand(line["offset"], line["at"], decode_command(line["value"].encode())) for line in lines]

    def messages(self) -> list[tuple[str, bytes]]:
        return [(line["topic"], line["value"].encode()) for line in self._lines("messages")]

    def records(self) -> list[tuple[str, bytes, bytes]]:
        return [
            (line["table"], base64.b64decode(line["key"]), base64.b64decode(line["value"]))
            for line in self._lines("records")
        ]

    def decided(self) -> dict[bytes, bytes]:
        """The ledger's records that decisions have led to: all but the watermark."""
        return {key: value for table, key, value in self.records() if table == "ledger" and key != WATERMARK_KEY}

    def schemas(self) -> dict[str, Fields]:
        """The schemas by today's names."""
        found: dict[str, Fields] = json.loads((self.folder / "schemas.json").read_text())
        return {RENAMED.get(name, name): fields for name, fields in found.items()}

    def _lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / f"{name}.jsonl").read_text().splitlines()]


def recordings() -> list[Recording]:
    """All recordings, oldest first."""
    return [Recording(folder) for folder in sorted(FOLDER.iterdir())]


def carried_out(log: Iterable[LogCommand]) -> tuple[list[Outcome], dict[bytes, bytes]]:
    """The outcomes and records of a ledger for a log."""
    records: dict[bytes, bytes] = {}
    ledger = Ledger(
        lambda keys: [records.get(key) for key in keys],
        lambda prefix, after: sorted(
            item for item in records.items() if item[0].startswith(prefix) and item[0] > after
        ),
        CODES,
    )
    outcomes: list[Outcome] = []
    for entry in log:
        outcomes += ledger.apply(*entry).outcomes
        records |= ledger.take_purchases() | ledger.take_events()
    return outcomes, records


def record(folder: Path, rows: list[tuple[str, str]]) -> None:
    """Write a recording; ``rows`` are messages of the connectors, by topic."""
    log = random_log(SEED, LENGTH)
    outcomes, kept = carried_out(log)
    notifier = Notifier()
    jobs = notifier.tell(*outcomes)
    moment = datetime(2030, 1, 2, 3, 4, 5, 678000, UTC)
    delivery = Delivery(UUID(int=1), MailKind.CONFIRMED, DeliveryStatus.SENT, EVENT, UUID(int=2), ADA, moment)
    resend = Resend(UUID(int=1), EVENT, UUID(int=2), moment)
    messages = [
        *((COMMANDS, encode_command(entry.command)) for entry in log),
        *((OUTCOMES, encode_outcome(outcome)) for outcome in outcomes),
        *((PURCHASE_UPSERTS, encode_upsert(row)) for row in map(upsert_of, outcomes) if row is not None),
        *((JOBS, encode_job(job)) for job in jobs),
        (RETRIES, encode_job(jobs[0])),
        (RESENDS, encode_resend(resend)),
        (DELIVERIES, encode_delivery(delivery)),
        *((PAYMENT_EVENTS, encode_payment_event(event)) for event in _payment_events(moment)),
        (PAYMENT_REQUESTS, encode_payment_request(_payment_request(moment))),
        *((requests(name), value) for name in DEFAULT_PRODUCERS for value in _requests(log)),
        *((answers(name), encode_answer(answer)) for name in DEFAULT_PRODUCERS for answer in _answers(outcomes)),
        *((EVENT_STATUS, _payload(entry.command)) for entry in log if isinstance(entry.command, DefineEvent)),
    ]
    origin = RequestOrigin(requests(DEFAULT_PRODUCERS[0]), 1, 42, 1_900_000_000_000)
    contact = _encode(Contact(42, "Ada Byron", "ada@buyer.example", "de-AT"))
    records = [
        *(("ledger", *item) for item in kept.items()),
        *(("bookings", *item) for item in notifier.table.records.items()),
        ("contacts", str(ADA).encode(), contact),
        ("gate", checked_key(origin), encode_record(RequestRecord(origin.offset, origin.at_ms, b"{}"))),
        (
            "gate",
            quota_key(origin.topic),
            encode_record(QuotaRecord(origin.offset, 1_000 * origin.at_ms, origin.at_ms)),
        ),
        ("gate", page_key(origin), encode_record(AnsweredPage(7, [None, origin.at_ms] * (PAGE_REQUESTS // 2)))),
        ("ledger", WATERMARK_KEY, encode_watermark(Watermark(log[-1].offset, digest_of(b"key", b"value", log[-1].at)))),
    ]
    records.append(("payments", payment_key(UUID(int=1), UUID(int=2)), _payment(moment)))
    folder.mkdir(parents=True)
    _write(
        folder / "log.jsonl",
        ({"offset": each.offset, "at": each.at, "value": encode_command(each.command).decode()} for each in log),
    )
    told = [(topic, value.decode()) for topic, value in messages]
    _write(folder / "messages.jsonl", ({"topic": topic, "value": value} for topic, value in (*told, *rows)))
    _write(
        folder / "records.jsonl",
        ({"table": table, "key": _b64(key), "value": _b64(value)} for table, key, value in records),
    )
    (folder / "schemas.json").write_text(json.dumps(schemas_of(TYPES), indent=1) + "\n")


def _requests(log: list[LogCommand]) -> list[bytes]:
    """The log's commands that a producer may write."""
    commands = [each.command for each in log if isinstance(each.command, Buy | Hold | Confirm | Cancel)]
    return [encode_command(each) for each in commands if not isinstance(each, Cancel) or each.is_repeatable][:40]


def _answers(outcomes: list[Outcome]) -> list[Answer]:
    """Answers of every status."""
    moment, one = datetime(2030, 1, 2, 3, 4, 5, 678000, UTC), UUID(int=2)
    refused = [Answer(status=status, purchase=one, detail="why", field="account") for status in AnswerStatus]
    return [*refused, Answer(status=AnswerStatus.THROTTLED, retry_at=moment), decided(one, outcomes[1])]


_MONEY: Final[dict[str, Any]] = {"amount": Decimal("49.90"), "currency": "EUR"}


def _payment_events(at: datetime) -> list[PaymentEvent]:
    of: dict[str, Any] = {"event": EVENT, "purchase": UUID(int=2), "at": at}
    said: dict[str, Any] = {
        "provider": "paper",
        "reference": "paper_1",
        "url": "https://pay.example/1",
        "detail": "done",
    }
    held = PaymentEvent(id="1", kind=PaymentEventKind.HELD, account=ADA, ledger_offset=1, deadline=at, **of, **_MONEY)
    started = PaymentEvent(id="2", kind=PaymentEventKind.STARTED, provider="paper", **of)
    paid = PaymentEvent(id="3", kind=PaymentEventKind.AUTHORIZED, request=UUID(int=3), **of, **said, **_MONEY)
    confirmed = PaymentEvent(
        id="4", kind=PaymentEventKind.CONFIRMED, ledger_offset=2, reference="paper_1", **of, **_MONEY
    )
    captured = PaymentEvent(id="5", kind=PaymentEventKind.CAPTURED, fee=Decimal("0.98"), **of, **said, **_MONEY)
    ordered = PaymentEvent(
        id="6",
        kind=PaymentEventKind.REFUND_ORDERED,
        account=ADA,
        request=UUID(int=6),
        reason="goodwill",
        **of,
        **_MONEY | {"amount": Decimal("9.90")},
    )
    return [held, started, paid, confirmed, captured, ordered]


def _payment_request(at: datetime) -> PaymentRequest:
    of: dict[str, Any] = {"event": EVENT, "purchase": UUID(int=2), "account": ADA, "provider": "paper"}
    kind = PaymentRequestKind.CAPTURE
    return PaymentRequest(id=UUID(int=3), kind=kind, reference="paper_1", deadline=at, **of, **_MONEY)


def _payment(at: datetime) -> bytes:
    record = None
    for offset, event in enumerate(_payment_events(at)):
        record = apply(record, event.purchase, event, offset, 1_900_000_000_000 + offset).record
    return encode_payment(record)


def _payload(command: DefineEvent) -> bytes:
    fields = json.loads(encode_command(command), parse_float=Decimal)
    return json.dumps({name: value for name, value in fields.items() if name != "kind"}).encode()


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def main() -> None:
    """Write the next recording. The rows come from the last one: only Debezium could change their format."""
    last = recordings()[-1]
    rows = [(topic, value.decode()) for topic, value in last.messages() if topic in (EVENT_ROWS, ACCOUNT_ROWS)]
    record(FOLDER / f"{int(last.folder.name) + 1:04}", rows)


if __name__ == "__main__":
    main()

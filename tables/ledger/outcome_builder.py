"""Telling outcomes: what a decision means, complete enough to act on without asking."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from tables.ledger.inventory import Inventory
from tables.ledger.purchase_state import Standing, standing
from tables.ledger.records import Bought, Decision, PurchaseRecord
from tables.ledger.ticket_codes import TicketCodes
from tables.messages.outcomes import Balance, MoneyAmount, Outcome, OutcomeKind, OutcomeLine

# What a date can tell; a producer's text may be half a millisecond from its end.
FIRST_MS: Final = -62_135_596_800_000
LAST_MS: Final = 253_402_300_799_999


class News(NamedTuple):
    """A decision on a purchase, as it is to be told: ``body`` is the fingerprint of what was asked for."""

    event: UUID
    purchase: UUID
    record: PurchaseRecord | None
    decision: Decision
    body: str
    repeated: bool = False
    request: UUID | None = None


class Teller:
    """Makes outcomes of decisions; knows the key of the ticket codes."""

    def __init__(self, codes: TicketCodes) -> None:
        self._codes = codes

    def tell(self, news: News, inventory: Inventory | None) -> Outcome:
        """The outcome, with the event as it stands now."""
        record, decision = news.record, news.decision
        after = _standing_after(record, decision)
        lines = record.lines_of(decision) if record else decision.lines
        left = after.lines if after and decision.kind is OutcomeKind.CANCELLED else ()
        return Outcome(
            kind=decision.kind,
            event=news.event,
            offset=decision.offset,
            at=moment(decision.at),
            purchase=news.purchase,
            account=record.account if record else None,
            status=after.status if after else None,
            reason=decision.why,
            figures=decision.figures,
            lines=self._lines(news, lines),
            left=self._lines(news, left),
            total=_total(lines, record.currency) if record and lines else None,
            deadline=None if decision.deadline is None else moment(decision.deadline),
            fingerprint=news.body,
            facts=inventory.facts if inventory else None,
            balance=_balance(inventory, decision.lines),
            as_of=inventory.offset if inventory else -1,
            repeated=news.repeated,
            request=news.request,
        )

    def _lines(self, news: News, lines: tuple[Bought, ...]) -> tuple[OutcomeLine, ...]:
        """Lines with their codes, where tickets were sold or are no longer."""
        if not news.decision.sold:
            return tuple([OutcomeLine(each.ticket_type, each.name, each.quantity, each.price) for each in lines])
        return tuple([self._with_codes(news, line) for line in lines])

    def _with_codes(self, news: News, line: Bought) -> OutcomeLine:
        codes = self._codes.codes(news.event, news.purchase, line.first, line.quantity)
        return OutcomeLine(line.ticket_type, line.name, line.quantity, line.price, codes)


# What was appended together has one time.
@lru_cache(maxsize=1_024)
def moment(milliseconds: int) -> datetime:
    """A time of the log (ms since 1970) as a date; one outside of the years 1 to 9999 as the nearest in them."""
    return datetime.fromtimestamp(min(max(milliseconds, FIRST_MS), LAST_MS) / 1000, UTC)


def _standing_after(record: PurchaseRecord | None, decision: Decision) -> Standing | None:
    if record is None or decision.kind is OutcomeKind.REFUSED:
        return None
    past = record.before(decision.offset + 1)
    return standing(past) if past else None


def _total(lines: tuple[Bought, ...], currency: str) -> MoneyAmount:
    return MoneyAmount(
        sum((line.price * line.quantity for line in lines[1:]), lines[0].price * lines[0].quantity), currency
    )


def _balance(inventory: Inventory | None, lines: tuple[Bought, ...]) -> tuple[Balance, ...]:
    if inventory is None:
        return ()
    shelves = [inventory.shelves.get(line.ticket_type) for line in lines]
    return tuple([shelf.balance() for shelf in shelves if shelf])

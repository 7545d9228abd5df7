"""The purchase of a request, as far as the caller may see or change it."""

from uuid import UUID

from api.auth.tokens import Caller
from api.ports.ports import Ports, ports
from api.problems import Unavailable
from api.purchasing import service
from api.purchasing.acceptance import accepted_account
from api.schemas.purchase import Purchase, pending
from api.web.authentication import caller


def owner_of(public: str) -> UUID:
    """The account for which a purchase is changed; the ledger refuses all but the owner. Refused: not-found."""
    owner = own_purchase(public).account_id if caller().is_administrator else None
    return owner or caller().account


def own_purchase(public: str) -> Purchase:
    """The purchase, if it is the caller's.

    Refused: not-found, also for somebody else's, in the same time.
    """
    return purchase_of(ports(), caller(), public)


def purchase_of(known: Ports, reader: Caller, public: str) -> Purchase:
    """In any thread: the purchase, if it is the reader's. Refused: not-found, as ``own_purchase``."""
    return found_purchase(known_purchase(known, reader, public))


def found_purchase(purchase: Purchase | None) -> Purchase:
    """The purchase, if there is one. Refused: not-found."""
    if purchase is None:
        raise service.no_purchase()
    return purchase


def known_purchase(known: Ports, reader: Caller, public: str) -> Purchase | None:
    """In any thread: the purchase, if it is the reader's; pending, if the log has it and no decision is known."""
    ids = service.ids_of(public)
    account = _accepted(known, reader, ids, public)
    try:
        found = known.sales.find(*ids, reader.may_act_for)
    except Unavailable:
        # The decision is not available, but the purchase is known to be in the log.
        if account is None:
            raise
        found = None
    return pending(*ids, account) if found is None and account else found


def _accepted(known: Ports, reader: Caller, ids: tuple[UUID, UUID], public: str) -> UUID | None:
    """The account of a purchase that is known to be in the log, if the reader may see it."""
    account = accepted_account(known.tokens, public, known.clock()) or known.ledger.accepted(*ids)
    return account if account and reader.may_act_for(account) else None

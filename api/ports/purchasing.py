"""The ports that a purchase needs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from api.auth.tokens import Tokens
from api.ports.credentials import Revocations
from api.ports.ledger import CatalogueCheck, Holders, LedgerGateway


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchasePorts:
    """The ports of api/purchasing/, with the seconds that a purchase waits and a hold lasts."""

    tokens: Tokens
    revocations: Revocations
    catalogue: CatalogueCheck
    ledger: LedgerGateway
    holders: Holders
    clock: Callable[[], datetime]
    purchase_wait: float = 2.0
    hold_seconds: int = 600
    hold_tickets_overall_max: int = 0

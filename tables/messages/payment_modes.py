"""How the purchases of an event are paid."""

from enum import StrEnum


class PaymentMode(StrEnum):
    """NONE: free, or the money is handled elsewhere. ONLINE: what has a price is held until it is paid."""

    NONE = "none"
    ONLINE = "online"

"""Types of fields, with what a JSON Schema says about them beyond what the decoder checks.

``extra_json_schema`` only describes. Decoders take what they took before; what they accept beyond the schema, a
producer shouldn't write.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta

AMOUNT_MAX_DECIMALS: Final = 4
PRICE_END: Final = Decimal(10) ** 10

# As our encoder writes a non-negative decimal.
Amount = Annotated[Decimal, Meta(extra_json_schema={"pattern": r"^[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?$"})]
# As a producer writes a price: below 10^10, at most 4 decimals.
Price = Annotated[Decimal, Meta(extra_json_schema={"pattern": r"^[0-9]{1,10}(\.[0-9]{1,4})?$"})]
# Written in UTC.
Time = Annotated[datetime, Meta(extra_json_schema={"format": "date-time"})]
# PostgreSQL, which stores the sales projection, rejects only texts with NUL.
Text = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*\Z")]


def is_amount(amount: Decimal, end: Decimal) -> bool:
    """Whether it is finite, not negative, below ``end``, and has at most AMOUNT_MAX_DECIMALS decimals.

    To show 1E-999999999 with its decimals takes gigabytes.
    """
    return amount.is_finite() and 0 <= amount < end and int(amount.as_tuple().exponent) >= -AMOUNT_MAX_DECIMALS

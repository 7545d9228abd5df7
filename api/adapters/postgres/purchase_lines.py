"""The lines of a purchase in SQL, for what adds them up. A row with spoiled lines or currency has none.

A line that PostgreSQL could not cast would end the whole query, and with it the answer about every other purchase.
"""

from typing import Final

# Nothing that is compared here raises an error; what has another type than asked for is not told.
_TOLD: Final = """strict $[*] ? (
    @.ticketTypeId like_regex "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" && @.name.type() == "string"
    && @.price like_regex "^[0-9]{1,10}([.][0-9]{1,4})?$"
    && @.quantity >= 0 && @.quantity <= 10000000 && @.quantity.floor() == @.quantity
)"""
_WHOLE: Final = f"currency ~ '^[A-Z]{{3}}$' AND jsonb_path_query_array(lines, '{_TOLD}', '{{}}', true) = lines"
LINES: Final = f"jsonb_array_elements(CASE WHEN {_WHOLE} THEN lines END) AS line"
QUANTITY: Final = "(line->'quantity')::int"

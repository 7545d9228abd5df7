"""SQL for the lines of purchases, to be summed up. A row with invalid lines or currency has none.

A line that PostgreSQL can't cast would fail the whole query, with all other purchases.
"""

from typing import Final

# No comparison raises an error here; a value of another type does not match.
_VALID_LINES: Final = """strict $[*] ? (
    @.ticketTypeId like_regex "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" && @.name.type() == "string"
    && @.price like_regex "^[0-9]{1,10}([.][0-9]{1,4})?$"
    && @.quantity >= 0 && @.quantity <= 10000000 && @.quantity.floor() == @.quantity
)"""
_IS_VALID: Final = (
    f"currency ~ '^[A-Z]{{3}}$' AND jsonb_path_query_array(lines, '{_VALID_LINES}', '{{}}', true) = lines"
)
LINES: Final = f"jsonb_array_elements(CASE WHEN {_IS_VALID} THEN lines END) AS line"
QUANTITY: Final = "(line->'quantity')::int"

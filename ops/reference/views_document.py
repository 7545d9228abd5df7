"""``turnstile docs views``: docs/views.json, made from the code. ``--write`` stores it."""

import json
from pathlib import Path
from typing import Final

from ops.reference.generated import page_command
from streams.gate.views.operations import OPERATIONS as GATE_OPERATIONS
from streams.inventory.views.operations import OPERATIONS as LEDGER_OPERATIONS
from streams.mail.views.operations import OPERATIONS as MAIL_OPERATIONS
from streams.payments.views.operations import OPERATIONS as PAYMENT_OPERATIONS
from streams.runtime.web_document import document

PAGE: Final = Path(__file__).parents[2] / "docs" / "views.json"
OPERATIONS: Final = (*LEDGER_OPERATIONS, *MAIL_OPERATIONS, *PAYMENT_OPERATIONS, *GATE_OPERATIONS)


def page() -> str:
    """The whole document, its keys in order so that differences are readable."""
    return json.dumps(document(OPERATIONS), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


command = page_command("views", PAGE, page)

"""``turnstile docs schemas``: docs/schemas.json, made from the code. ``--write`` stores it."""

import json
from pathlib import Path
from typing import Final

from connect.contract.schemas import bundle
from ops.reference.generated import page_command

PAGE: Final = Path(__file__).parents[2] / "docs" / "schemas.json"


def page() -> str:
    """The whole document."""
    return json.dumps(bundle(), indent=2, ensure_ascii=False) + "\n"


command = page_command("schemas", PAGE, page)

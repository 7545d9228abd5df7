"""``turnstile docs asyncapi``: docs/asyncapi.json, made from the code. ``--write`` stores it."""

import json
from pathlib import Path
from typing import Final

from connect.contract.asyncapi import document
from ops.reference.generated import page_command

PAGE: Final = Path(__file__).parents[2] / "docs" / "asyncapi.json"


def page() -> str:
    """The whole document."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


command = page_command("asyncapi", PAGE, page)

"""``turnstile docs openapi``: docs/openapi.json, made from the code. ``--write`` stores it."""

import json
from pathlib import Path
from typing import Final, cast

from api.app import create_app
from api.ports.ports import Ports
from api.routes.docs import document
from ops.reference.generated import page_command

PAGE: Final = Path(__file__).parents[2] / "docs" / "openapi.json"


def page() -> str:
    """The whole document, its keys in order so that differences are readable. No server is needed for it."""
    return json.dumps(document(create_app(cast("Ports", None))), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


command = page_command("openapi", PAGE, page)

"""The passwords and keys of one data folder: made once, kept in files that only their owner reads."""

import secrets
from pathlib import Path

NAMES = {
    "superuser_password": "secrets/superuser_password",
    "database_password": "secrets/database_password",
    "cdc_password": "secrets/connect/cdc_password",
    "token_key": "secrets/token_key",
    "link_key": "secrets/link_key",
    "admin_password": "secrets/admin_password",
    "ticket_key": "secrets/ticket_key",
}


def secret(home: Path, name: str) -> str:
    """The secret of that name, made the first time it is asked for."""
    path = home / NAMES[name]
    if not path.exists():
        for folder in (home / "secrets", path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()

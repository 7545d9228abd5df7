"""The passwords and keys of a data folder: made once, in files that only their owner can read."""

import secrets
from pathlib import Path

from connect.access.principals import ADMIN, CONNECT, principals
from connect.access.secret_file import write_once

KAFKA_PASSWORDS = {name: f"kafka_{name}_password" for name in (ADMIN, *(principal.name for principal in principals()))}
NAMES = {
    "superuser_password": "secrets/superuser_password",
    "database_password": "secrets/database_password",
    "cdc_password": "secrets/connect/cdc_password",
    "token_key": "secrets/token_key",
    "link_key": "secrets/link_key",
    "admin_password": "secrets/admin_password",
    "ticket_key": "secrets/ticket_key",
    "paper_key": "secrets/paper_key",
    **{file: f"secrets/kafka/{file}" for file in KAFKA_PASSWORDS.values()},
    # Read by the process of a server, which can read no other folder.
    KAFKA_PASSWORDS[ADMIN]: f"secrets/broker/{KAFKA_PASSWORDS[ADMIN]}",
    KAFKA_PASSWORDS[CONNECT]: f"secrets/connect/{KAFKA_PASSWORDS[CONNECT]}",
}


def secret(home: Path, name: str) -> str:
    """The secret of that name; it is made on first use."""
    path = home / NAMES[name]
    if not path.exists():
        for folder in (home / "secrets", path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_once(path, secrets.token_urlsafe(32), 0o600)
    return path.read_text()

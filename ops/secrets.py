"""``turnstile secrets``: the secret files that docker-compose.yml reads; they are made once and never overwritten.

Containers mount the files as they are and run as other users, so the files are readable and the folder is not.
"""

import secrets
from pathlib import Path
from typing import Final

from connect.access.principals import ADMIN, principals
from ops.certificate import self_signed

PASSWORDS: Final = (
    "postgres_password",
    "database_password",
    "cdc_password",
    "ticket_key",
    "token_key",
    "worker_tokens",
    "link_key",
    "admin_password",
    "elastic_password",
    "indexer_password",
    "reader_password",
    "grafana_password",
    *(f"kafka_{name}_password" for name in (ADMIN, *(principal.name for principal in principals()))),
)
DATABASE_URL: Final = "database_url"
CERTIFICATE: Final = "tls_certificate"
DATABASE: Final = "postgres:5432/turnstile"


def make_secrets(folder: Path) -> list[str]:
    """Make the missing files and return their names. No file ends in a newline, which some readers would keep."""
    folder.mkdir(mode=0o700, exist_ok=True)
    made = [name for name in PASSWORDS if _write(folder / name, secrets.token_urlsafe(32))]
    password = (folder / "database_password").read_text()
    if _write(folder / DATABASE_URL, f"postgresql://turnstile:{password}@{DATABASE}"):
        made.append(DATABASE_URL)
    if _write(folder / CERTIFICATE, self_signed()):
        made.append(CERTIFICATE)
    return made


def _write(path: Path, text: str) -> bool:
    if path.exists():
        return False
    path.touch(mode=0o600)
    path.write_text(text)
    path.chmod(0o444)
    return True

"""``turnstile secrets``: the secret files that docker-compose.yml reads; they are made once and never overwritten.

Containers mount the files as they are and run as other users, so the files are readable and the folder is not.
``make secrets`` runs this module before anything is installed, so it uses the standard library alone.
"""

import secrets
from pathlib import Path
from typing import Final

from connect.access.secret_file import write_once
from ops.certificate import self_signed

# The principals of connect/access/principals.py, with the brokers' administrator.
KAFKA_USERS: Final = (
    *("admin", "ledger", "indexer", "notifications", "sales", "gate", "payments", "api", "exporter", "operator"),
    *("connect", "reader", "producer-partner", "producer-kiosk"),
)

PASSWORDS: Final = (
    "postgres_password",
    "database_password",
    "cdc_password",
    "ticket_key",
    "token_key",
    "worker_tokens",
    "link_key",
    "paper_key",
    "admin_password",
    "elastic_password",
    "indexer_password",
    "reader_password",
    "exporter_password",
    "grafana_password",
    *(f"kafka_{name}_password" for name in KAFKA_USERS),
)
DATABASE_URL: Final = "database_url"
CERTIFICATE: Final = "tls_certificate"
DATABASE: Final = "postgres:5432/turnstile"
READABLE: Final = 0o444


def main() -> None:
    """Make what is missing in the folder ``secrets``."""
    folder = Path("secrets")
    print(report(folder, make_secrets(folder)))


def report(folder: Path, made: list[str]) -> str:
    """What was made, in a line."""
    return f"{folder}: made {', '.join(made)}" if made else f"{folder}: all there"


def make_secrets(folder: Path) -> list[str]:
    """Make the missing files and return their names. No file ends in a newline, which some readers would keep."""
    folder.mkdir(mode=0o700, exist_ok=True)
    made = [name for name in PASSWORDS if write_once(folder / name, secrets.token_urlsafe(32), READABLE)]
    password = (folder / "database_password").read_text()
    if write_once(folder / DATABASE_URL, f"postgresql://turnstile:{password}@{DATABASE}", READABLE):
        made.append(DATABASE_URL)
    if write_once(folder / CERTIFICATE, self_signed(), READABLE):
        made.append(CERTIFICATE)
    return made


if __name__ == "__main__":
    main()

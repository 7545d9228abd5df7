"""The configuration of the connectors: the JSON files of this folder with the connection details of the settings.

A configuration never contains a password: Kafka Connect reads it from a file when it needs it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from settings import Settings

FOLDER: Final = Path(__file__).parent
COMMON: Final = "common"


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector: its name and its complete configuration."""

    name: str
    config: dict[str, str]

    @property
    def slot(self) -> str:
        """Its replication slot; each connector has its own."""
        return self.config["slot.name"]

    @property
    def publication(self) -> str:
        """Its publication, which the migrations create."""
        return self.config["publication.name"]

    @property
    def tables(self) -> list[str]:
        """The captured tables, as schema.table."""
        return self.config["table.include.list"].split(",")


def connectors(settings: Settings) -> list[Connector]:
    """All connectors, sorted by name."""
    common = _read(FOLDER / f"{COMMON}.json")
    names = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != COMMON)
    details = connection(settings)
    return [Connector(name, common | _read(FOLDER / f"{name}.json") | details) for name in names]


def connection(settings: Settings) -> dict[str, str]:
    """The connection details of PostgreSQL as Kafka Connect needs them; the password is a reference."""
    tls = {
        "database.sslmode": settings.database_tls.get("sslmode"),
        "database.sslrootcert": settings.connect_database_ca,
    }
    return {
        **{name: value for name, value in tls.items() if value is not None},
        "database.hostname": settings.connect_database_host,
        "database.port": str(settings.connect_database_port),
        "database.dbname": settings.connect_database_name,
        "database.user": settings.connect_database_user,
        "database.password": f"${{directory:{settings.connect_secrets_dir}:cdc_password}}",
    }


def _read(path: Path) -> dict[str, str]:
    config: dict[str, str] = json.loads(path.read_text())
    return config

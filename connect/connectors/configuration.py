"""The connectors as they have to be: the JSON files of ``connectors/`` with the connection details of the settings.

A password never stands in a configuration: Kafka Connect reads it from a file of its own when it needs it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from settings import Settings

FOLDER: Final = Path(__file__).parent
COMMON: Final = "common"
HEARTBEAT_TABLE: Final = "public.heartbeat"


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector: its name and its whole configuration."""

    name: str
    config: dict[str, str]

    @property
    def slot(self) -> str:
        """Its replication slot, which no other connector reads."""
        return self.config["slot.name"]

    @property
    def publication(self) -> str:
        """Its publication, which the migrations make."""
        return self.config["publication.name"]

    @property
    def tables(self) -> list[str]:
        """The tables that it captures, as schema.table."""
        return self.config["table.include.list"].split(",")


def connectors(settings: Settings, folder: Path = FOLDER) -> list[Connector]:
    """Every connector, in the order of their names."""
    common = _read(folder / f"{COMMON}.json")
    names = sorted(path.stem for path in folder.glob("*.json") if path.stem != COMMON)
    place = connection(settings)
    return [Connector(name, common | _read(folder / f"{name}.json") | place) for name in names]


def connection(settings: Settings) -> dict[str, str]:
    """How Kafka Connect reaches PostgreSQL; the password by reference."""
    return {
        "database.hostname": settings.connect_database_host,
        "database.port": str(settings.connect_database_port),
        "database.dbname": settings.connect_database_name,
        "database.user": settings.connect_database_user,
        "database.password": f"${{directory:{settings.connect_secrets_dir}:cdc_password}}",
    }


def _read(path: Path) -> dict[str, str]:
    config: dict[str, str] = json.loads(path.read_text())
    return config

"""The steps on disk, ``NNNN_name.sql`` and ``NNNN_name.rollback.sql``, with their checksums."""

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from migrations.errors import UnreadableStep

FOLDER: Final = Path(__file__).with_name("steps")
_NAME: Final = re.compile(r"\d{4}_[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """A step's name without its suffix, and the SHA-256 of its SQL and its rollback."""

    id: str
    checksum: str


def read_steps(folder: Path = FOLDER) -> list[MigrationStep]:
    """All steps in order. Raises UnreadableStep for a misnamed file or a step without rollback."""
    forward = [path for path in sorted(folder.glob("*.sql")) if not path.name.endswith(".rollback.sql")]
    return [_read(path) for path in forward]


def _read(path: Path) -> MigrationStep:
    if not _NAME.fullmatch(path.stem):
        raise UnreadableStep(f"{path.name}: a step is named NNNN_name.sql")
    back = path.with_name(f"{path.stem}.rollback.sql")
    if not back.exists():
        raise UnreadableStep(f"{path.name}: {back.name} is missing")
    return MigrationStep(path.stem, sha256(path.read_bytes() + b"\0" + back.read_bytes()).hexdigest())

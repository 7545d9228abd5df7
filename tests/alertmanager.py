"""Alertmanager from Debian's package.

Debian's build reads its standard template from a folder that only an installation has. Of a package that was only
unpacked it gets a copy that reads it from the working directory, under a path of the same length.
"""

from pathlib import Path
from typing import Final

from tests.debian import program

TEMPLATES: Final = Path("/usr/share/prometheus/alertmanager")


def alertmanager(folder: Path) -> tuple[tuple[str, ...], Path]:
    """The command, and the directory to run it in; a copy of the program is made in ``folder``."""
    *before, binary = program("prometheus-alertmanager")
    if TEMPLATES.exists():
        return (*before, binary), folder
    here = b"./" * (len(str(TEMPLATES)) // 2)
    copy = folder / "alertmanager"
    copy.write_bytes(Path(binary).read_bytes().replace(str(TEMPLATES).encode(), here))
    copy.chmod(0o755)
    return (*before, str(copy)), Path(binary).parents[2] / TEMPLATES.relative_to("/")

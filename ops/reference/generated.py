"""Pages of docs/ that are made from the code: printed, or with ``--write`` stored; tests compare them."""

import sys
from pathlib import Path


def print_or_write(path: Path, page: str) -> None:
    """Do with a page what the command line says."""
    if sys.argv[1:] == ["--write"]:
        path.write_text(page)
    else:
        print(page, end="")

"""Files with secrets, each written once. It needs Python alone: ``make secrets`` runs before anything is installed."""

import os
from pathlib import Path


def write_once(path: Path, text: str, mode: int) -> bool:
    """Write a file that isn't there yet; whether it was written now.

    It is there whole or not at all, also if the disk is full or this is killed. Of several who do so at once the first
    one wins.
    """
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.chmod(mode)
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True

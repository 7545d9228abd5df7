"""Files with secrets, each written once. It needs Python alone: ``make secrets`` runs before anything is installed."""

import os
from pathlib import Path


def write_once(path: Path, text: str, mode: int) -> bool:
    """Write a file that isn't there yet; whether it was written now.

    It is there whole or not at all, also if the disk is full or this is killed. Of several who do so at once the first
    one wins. On a file system without hard links it is there and empty for a moment.
    """
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.chmod(mode)
        _give_name(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def _give_name(draft: Path, path: Path) -> None:
    """Give the draft its name. Raises FileExistsError where that is taken."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        path.touch(mode=0o600, exist_ok=False)
        try:
            draft.replace(path)
        except BaseException:
            path.unlink()
            raise

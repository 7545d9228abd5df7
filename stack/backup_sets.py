"""Sets of backups: PostgreSQL, the secrets, and the ledger of each partition after one command; and their restore.

The database is written first, so that the ledger of a set knows every purchase that its database has.
"""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from connect.folder_lock import locked
from stack.backup import NEEDED, backup, check_dump, operate, restore_database
from stack.embedded import Stack
from stack.errors import RestoreRefused

DUMP: Final = "turnstile.dump"
SECRETS: Final = "secrets"
LEDGER: Final = "ledger"
UNFINISHED: Final = ".unfinished"
NAME: Final = "%Y%m%dT%H%M%SZ"
KEEP: Final = 7


def back_up_all(stack: Stack, folder: Path, keep: int = KEEP) -> Path:
    """Write a set of the running stack into ``folder``, remove all but the ``keep`` newest, and give its own folder.

    A set has its name once it is complete. Raises RestoreRefused, and BlockingIOError while another one is made there;
    then the older sets are there as before.
    """
    with locked(folder):
        made = folder / datetime.now(UTC).strftime(NAME)
        draft = made.with_suffix(UNFINISHED)
        draft.mkdir(mode=0o700)
        try:
            backup(stack, draft / DUMP)
            shutil.copytree(stack.settings.home / SECRETS, draft / SECRETS)
            operate(stack, "ledger", "snapshot", TURNSTILE_LEDGER_SNAPSHOTS=str(draft / LEDGER))
            draft.rename(made)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        rotate(folder, keep, made)
    return made


def sets_in(folder: Path) -> list[Path]:
    """The complete sets of a folder, the newest first."""
    return sorted((path.parent for path in folder.glob(f"*Z/{DUMP}")), reverse=True)


def rotate(folder: Path, keep: int, made: Path) -> None:
    """Remove all but ``keep`` sets, the newest, and what unfinished backups have left.

    ``made`` stays, also where a clock was wrong and others have a later time.
    """
    others = [path for path in sets_in(folder) if path != made]
    for old in (*others[keep - 1 :], *folder.glob(f"*{UNFINISHED}")):
        shutil.rmtree(old)


def restore_all(stack: Stack, made: Path) -> None:
    """Restore the set ``made`` into an empty stack. Afterwards its servers run, but no worker and no API.

    Raises RestoreRefused, and changes nothing, if the stack has data or the set is not complete and whole.
    """
    home = stack.settings.home
    if not (made / DUMP).is_file() or not all((made / name).is_dir() for name in (SECRETS, LEDGER)):
        raise RestoreRefused(f"{made} is not a set of backups")
    if any((home / name).exists() for name in ("postgres", *NEEDED)):
        raise RestoreRefused(f"{home} has data: name another folder (TURNSTILE_HOME), or delete it (make clean-data)")
    check_dump(stack, made / DUMP)
    _check_ledger(stack, made)
    shutil.copytree(made / SECRETS, home / SECRETS, dirs_exist_ok=True)
    stack.open()
    restore_database(stack, made / DUMP)
    stack.start("migrations", *NEEDED)
    # They make the topics.
    stack.start("connectors")
    operate(stack, "ledger", "restore", str(made / LEDGER))
    operate(stack, "restored")


def _check_ledger(stack: Stack, made: Path) -> None:
    """Read the ledger of the set to its end, with the set's secrets: those that it lacks are made, in another home."""
    with tempfile.TemporaryDirectory(prefix="turnstile-restore-") as scratch:
        shutil.copytree(made / SECRETS, Path(scratch) / SECRETS)
        there = Stack(stack.settings.model_copy(update={"home": Path(scratch)}))
        operate(there, "ledger", "check", str(made / LEDGER))

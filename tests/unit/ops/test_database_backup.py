"""The dumps of the database in containers: complete ones only, so many of them, each hour."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "ops" / "postgres" / "backup.sh"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Stand-ins: a dump that writes its password, and a pause that ends the script."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program(
        folder, "pg_dump", 'for word; do case "$word" in --file=*) echo "$PGPASSWORD" > "${word#--file=}";; esac; done'
    )
    program(folder, "sleep", 'echo "$1" >> "$BACKUP_FOLDER/paused"; kill "$PPID"')
    return folder


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def back_up(folder: Path, programs: Path, keep: int = 3) -> str:
    folder.mkdir(exist_ok=True)
    (programs / "password").write_text("secret")
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "BACKUP_FOLDER": str(folder),
        "BACKUP_PASSWORD_FILE": str(programs / "password"),
        "BACKUP_PAUSE_S": "3600",
        "BACKUP_KEEP": str(keep),
    }
    done = subprocess.run(("/bin/sh", str(SCRIPT)), env=environment, capture_output=True, text=True, check=False)
    assert (folder / "paused").read_text().splitlines()[-1] == "3600"
    return done.stderr


def dumps(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "paused")


def test_a_dump_is_for_its_owner_alone(tmp_path: Path, programs: Path) -> None:
    back_up(tmp_path / "backups", programs)
    [made] = [tmp_path / "backups" / name for name in dumps(tmp_path / "backups")]
    assert (made.suffix, made.read_text()) == (".dump", "secret\n")
    assert made.stat().st_mode & 0o077 == 0


def test_so_many_dumps_are_kept(tmp_path: Path, programs: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 6):
        (folder / f"2026010{day}T000000Z.dump").touch()
    (folder / "20260106T000000Z.dump.unfinished").touch()
    back_up(folder, programs)
    assert len(dumps(folder)) == 3
    assert dumps(folder)[:2] == ["20260104T000000Z.dump", "20260105T000000Z.dump"]


def test_the_dump_just_made_is_kept_whatever_the_clock_says(tmp_path: Path, programs: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 6):
        (folder / f"2096010{day}T000000Z.dump").touch()
    back_up(folder, programs)
    [made, *others] = dumps(folder)
    assert not made.startswith("2096")
    assert others == ["20960104T000000Z.dump", "20960105T000000Z.dump"]


def test_a_dump_that_fails_is_none_removes_none_and_is_tried_again(tmp_path: Path, programs: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    older = [f"2026010{day}T000000Z.dump" for day in range(1, 6)]
    for name in older:
        (folder / name).touch()
    program(
        programs, "pg_dump", 'for word; do case "$word" in --file=*) echo half > "${word#--file=}";; esac; done; exit 1'
    )
    assert "the next try is in 3600 s" in back_up(folder, programs)
    assert dumps(folder) == older

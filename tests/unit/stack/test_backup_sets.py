"""Sets of backups: complete ones only, so many of them; and nothing is restored over data."""

from pathlib import Path

import pytest

from lab.trial_stack import TrialStack
from stack import backup_sets
from stack.backup_sets import DUMP, LEDGER, SECRETS, back_up_all, restore_all, rotate, sets_in
from stack.errors import RestoreRefused


@pytest.fixture
def stack(tmp_path: Path) -> TrialStack:
    stack = TrialStack.on_free_ports(tmp_path / "home")
    assert stack.environment  # which makes the secrets
    return stack


def a_set(folder: Path, name: str) -> Path:
    made = folder / name
    (made / LEDGER).mkdir(parents=True)
    (made / SECRETS).mkdir()
    (made / DUMP).touch()
    return made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Writes a dump and a snapshot without servers; what the operator's command was told in its environment."""
    told: dict[str, str] = {}

    def operate(_: TrialStack, *arguments: str, **more: str) -> None:
        assert arguments == ("ledger", "snapshot")
        told.update(more)
        Path(more["TURNSTILE_LEDGER_SNAPSHOTS"]).mkdir()

    monkeypatch.setattr(backup_sets, "backup", lambda _, file: file.touch())
    monkeypatch.setattr(backup_sets, "operate", operate)
    return told


def test_a_set_has_the_database_the_secrets_and_the_ledger_and_only_its_owner_can_read_it(
    stack: TrialStack, tmp_path: Path, quick: dict[str, str]
) -> None:
    made = back_up_all(stack, tmp_path / "backups")
    assert {path.name for path in made.iterdir()} == {DUMP, SECRETS, LEDGER}
    secret = Path(SECRETS) / "ticket_key"
    assert (made / secret).read_text() == (stack.settings.home / secret).read_text()
    assert made.stat().st_mode & 0o077 == 0
    # The ledger's records go into the set, and not into the folder of the snapshots.
    assert made.name in quick["TURNSTILE_LEDGER_SNAPSHOTS"]


def test_so_many_sets_are_kept_and_nothing_of_those_that_were_broken_off(
    stack: TrialStack, tmp_path: Path, quick: dict[str, str]
) -> None:
    for day in range(1, 5):
        a_set(tmp_path, f"2026010{day}T000000Z")
    a_set(tmp_path, "20260105T000000Z.unfinished")
    (tmp_path / "mine").mkdir()
    made = back_up_all(stack, tmp_path, keep=3)
    assert [path.name for path in sets_in(tmp_path)] == [made.name, "20260104T000000Z", "20260103T000000Z"]
    assert {path.name for path in tmp_path.iterdir()} >= {"mine", "home"}
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_backup_that_fails_leaves_no_set_and_removes_none(stack: TrialStack, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    older = [a_set(folder, f"2026010{day}T000000Z") for day in range(1, 4)]
    with pytest.raises(RestoreRefused, match="pg_dump"):
        back_up_all(stack, folder, keep=1)
    assert sorted(folder.iterdir()) == older


def test_a_snapshot_that_fails_leaves_no_set_either(
    stack: TrialStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_sets, "backup", lambda _, file: file.touch())
    monkeypatch.setattr(TrialStack, "environment", property(lambda _: {"TURNSTILE_TICKET_KEY": "short"}))
    with pytest.raises(RestoreRefused, match="ledger snapshot"):
        back_up_all(stack, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_backup_while_another_one_is_made_is_refused_and_takes_nothing_from_it(
    stack: TrialStack, tmp_path: Path, quick: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []

    def dump(_: TrialStack, file: Path) -> None:
        file.touch()
        with pytest.raises(BlockingIOError) as refused:
            back_up_all(stack, tmp_path / "backups")
        said.append(str(refused.value))

    monkeypatch.setattr(backup_sets, "backup", dump)
    made = back_up_all(stack, tmp_path / "backups")
    assert said == [f"another process is writing into {tmp_path / 'backups'}"]
    assert sets_in(tmp_path / "backups") == [made]
    assert {path.name for path in made.iterdir()} == {DUMP, SECRETS, LEDGER}


@pytest.mark.parametrize("name", ["postgres", "kafka", "elasticsearch"])
def test_nothing_is_restored_over_data(stack: TrialStack, tmp_path: Path, name: str) -> None:
    (stack.settings.home / name).mkdir()
    before = (stack.settings.home / SECRETS / "ticket_key").read_text()
    with pytest.raises(RestoreRefused, match="has data"):
        restore_all(stack, a_set(tmp_path, "20260101T000000Z"))
    assert (stack.settings.home / SECRETS / "ticket_key").read_text() == before


def test_what_is_no_set_is_refused(stack: TrialStack, tmp_path: Path) -> None:
    with pytest.raises(RestoreRefused, match="is not a set of backups"):
        restore_all(stack, tmp_path)


def test_a_set_whose_dump_is_cut_off_or_whose_ledger_is_damaged_leaves_the_folder_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = TrialStack.on_free_ports(home := tmp_path / "home")
    home.mkdir()
    made = a_set(tmp_path, "20260101T000000Z")
    (made / DUMP).write_bytes(b"PGDMP")
    with pytest.raises(RestoreRefused, match="pg_restore: "):
        restore_all(stack, made)
    monkeypatch.setattr(backup_sets, "check_dump", lambda *_: None)
    (made / LEDGER / "ledger-0-7-1700000000000").mkdir()
    with pytest.raises(RestoreRefused, match="ledger check"):
        restore_all(stack, made)
    assert not any(home.iterdir())


def test_rotation_keeps_what_has_another_name(tmp_path: Path) -> None:
    for name in ("20260101T000000Z", "20260102T000000Z", "notes"):
        a_set(tmp_path, name)
    rotate(tmp_path, 1, tmp_path / "20260102T000000Z")
    assert {path.name for path in tmp_path.iterdir()} == {"20260102T000000Z", "notes"}


def test_rotation_keeps_what_was_just_made_whatever_the_clock_says(tmp_path: Path) -> None:
    for name in ("20260101T000000Z", "20260102T000000Z", "20360101T000000Z", "20360102T000000Z"):
        a_set(tmp_path, name)
    rotate(tmp_path, 2, tmp_path / "20260102T000000Z")
    assert {path.name for path in tmp_path.iterdir()} == {"20260102T000000Z", "20360102T000000Z"}

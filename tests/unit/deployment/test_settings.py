from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import settings


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("DATABASE_URL", "TICKET_KEY", "SECRETS_DIR"):
        monkeypatch.delenv(f"TURNSTILE_{name}", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_a_setting_comes_from_a_file_named_like_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "turnstile_database_url").write_text("postgresql://u:p@db/turnstile")
    (tmp_path / "turnstile_ticket_key").write_text("k" * 40 + "\n")
    monkeypatch.setenv("TURNSTILE_SECRETS_DIR", str(tmp_path))
    assert settings().database_url.get_secret_value() == "postgresql://u:p@db/turnstile"
    assert settings().ticket_key.get_secret_value() == "k" * 40


def test_a_variable_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "turnstile_ticket_key").write_text("f" * 40)
    monkeypatch.setenv("TURNSTILE_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "v" * 40)
    assert settings().ticket_key.get_secret_value() == "v" * 40


def test_a_setting_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="ticket_key"):
        settings()


def test_a_setting_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv("TURNSTILE_PARTITIONS", "many")
    with pytest.raises(ValidationError, match="partitions"):
        settings()


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "visible" * 6)
    assert "visible" not in repr(settings())

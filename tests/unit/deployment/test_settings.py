from collections.abc import Iterator
from pathlib import Path
from secrets import token_urlsafe

import pytest
from pydantic import ValidationError

from api.__main__ import main as serve
from settings import MissingKey, settings


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


@pytest.mark.parametrize(
    "key",
    [
        "",
        "short",
        "k" * 64,
        "abcdefgh" * 8,
        "changeme-changeme-changeme-123456789",
        "a-secret-key-of-my-own-9876543210",
    ],
)
def test_a_key_that_is_easy_to_guess_ends_the_process(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv("TURNSTILE_TOKEN_KEY", key)
    with pytest.raises(ValidationError, match="token_key"):
        settings()


def test_the_api_has_no_key_of_its_own_to_fall_back_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.delenv("TURNSTILE_TOKEN_KEY", raising=False)
    with pytest.raises(MissingKey, match="TURNSTILE_TOKEN_KEY"):
        settings().signing_keys()
    with pytest.raises(SystemExit, match="TURNSTILE_TOKEN_KEY"):
        serve()


def test_a_random_key_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    keys = token_urlsafe(32), token_urlsafe(32)
    monkeypatch.setenv("TURNSTILE_TOKEN_KEY", keys[0])
    monkeypatch.setenv("TURNSTILE_TOKEN_KEY_BEFORE", keys[1])
    assert settings().signing_keys() == list(keys)


def test_a_limit_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv("TURNSTILE_SIGN_IN_LIMIT", "often")
    with pytest.raises(ValidationError, match="sign_in_limit"):
        settings()

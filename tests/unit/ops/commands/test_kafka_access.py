"""``turnstile kafka-access`` where it has nothing to do, and where it can't do it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from connect.access.principals import principals
from connect.errors import AccessRefused
from ops.commands import kafka_access
from settings import Settings


def run(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, **values: object) -> tuple[int, str]:
    """The exit code and the only line."""
    now = Settings(ticket_key="k" * 32, **values)  # type: ignore[arg-type]
    monkeypatch.setattr(kafka_access, "settings", lambda: now)
    monkeypatch.setattr(kafka_access, "configure_logging", lambda *_: None)
    with caplog.at_level("INFO", "ops.kafka_access"):
        code = CliRunner().invoke(kafka_access.command).exit_code
    [message] = [record.message for record in caplog.records if record.name == "ops.kafka_access"]
    return code, message


def write_passwords(folder: Path) -> None:
    for principal in principals():
        (folder / f"kafka_{principal.name}_password").write_text(f"{principal.name}'s")


def test_a_broker_without_users_gets_none(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    assert run(monkeypatch, caplog) == (0, "Kafka has no users here (TURNSTILE_KAFKA_USER is not set)")


def test_a_broker_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    write_passwords(tmp_path)
    values = {"kafka_user": "admin", "kafka_password": "word", "kafka_servers": "127.0.0.1:9", "bootstrap_seconds": 1}
    code, message = run(monkeypatch, caplog, kafka_passwords_dir=str(tmp_path), **values)
    assert code == 2
    assert message.startswith("Kafka does not answer within 1 s at 127.0.0.1:9 (TURNSTILE_KAFKA_SERVERS)")


def test_each_principal_has_its_own_file_and_one_that_is_missing_is_named(tmp_path: Path) -> None:
    write_passwords(tmp_path)
    now = Settings(ticket_key="k" * 32, kafka_passwords_dir=str(tmp_path))
    assert kafka_access.passwords(now) == {principal.name: f"{principal.name}'s" for principal in principals()}
    (tmp_path / "kafka_sales_password").unlink()
    with pytest.raises(AccessRefused, match="the password of sales can't be read"):
        kafka_access.passwords(now)

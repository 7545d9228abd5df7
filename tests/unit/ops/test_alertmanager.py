"""Alertmanager's configuration, by its own tool: each severity has a receiver, and nobody's password is in it."""

import subprocess

import pytest

from tests.debian import program
from tests.queries import ALERTS, OPS
from tests.yaml_files import read_yaml

CONFIG = OPS / "alertmanager" / "alertmanager.yml"
SEVERITIES = {
    rule["labels"]["severity"] for group in read_yaml(ALERTS.read_text())["groups"] for rule in group["rules"]
}
RECEIVERS = {"page": "now", "ticket": "today", "watchdog": "watchdog"}


def amtool(*arguments: str) -> str:
    done = subprocess.run((*program("amtool"), *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_alertmanager_can_read_it() -> None:
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


def test_every_severity_has_a_receiver_in_the_table_above() -> None:
    assert RECEIVERS.keys() == SEVERITIES


@pytest.mark.parametrize("severity", RECEIVERS)
def test_an_alert_is_told_to_those_of_its_severity(severity: str) -> None:
    told = amtool("config", "routes", "test", f"--config.file={CONFIG}", "alertname=Any", f"severity={severity}")
    assert told == RECEIVERS[severity]


def test_it_has_no_secret_and_sends_to_nobody_outside() -> None:
    config = read_yaml(CONFIG.read_text())
    assert config["global"].keys() == {"smtp_smarthost", "smtp_from", "smtp_require_tls"}
    mails = [mail for receiver in config["receivers"] for mail in receiver["email_configs"]]
    assert all(mail["to"].endswith("@turnstile.example") for mail in mails)
    assert {way for receiver in config["receivers"] for way in receiver} == {"name", "email_configs"}

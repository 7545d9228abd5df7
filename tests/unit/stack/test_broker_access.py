"""What the embedded broker, Kafka Connect and the parts are told where clients have to sign in."""

from pathlib import Path
from typing import Any

import pytest

from connect.access.principals import principals
from lab.target import settings_of
from lab.trial_stack import TrialStack
from stack.apps import AppProcess
from stack.environment import app_environment
from stack.kafka import Kafka
from stack.kafka_connect import KafkaConnect
from stack.secret_files import secret
from stack.settings import StackSettings


@pytest.fixture
def secured(tmp_path: Path) -> StackSettings:
    return StackSettings(home=tmp_path, kafka_security=True)


def told(member: Any) -> dict[str, str]:
    return {name: str(value) for name, value in member._configuration().items()}


def test_without_it_nothing_is_asked_for(tmp_path: Path) -> None:
    settings = StackSettings(home=tmp_path)
    for member in (Kafka(settings), KafkaConnect(settings)):
        assert not [name for name in told(member) if "sasl" in name or "authorizer" in name or "super" in name]
    assert "CLIENTS:PLAINTEXT" in told(Kafka(settings))["listener.security.protocol.map"]
    assert not [name for name in app_environment(settings) if "KAFKA_USER" in name or "KAFKA_PASSWORD" in name]


def test_no_listener_of_the_broker_lets_anybody_in_without_a_password(secured: StackSettings) -> None:
    broker = told(Kafka(secured))
    listeners = {each.partition("://")[0] for each in broker["listeners"].split(",")}
    protocols = dict(each.split(":") for each in broker["listener.security.protocol.map"].split(","))
    assert protocols == dict.fromkeys(listeners, "SASL_PLAINTEXT")
    assert broker["authorizer.class.name"].endswith("StandardAuthorizer")
    assert broker["super.users"] == "User:admin"


def test_no_password_is_in_a_configuration(secured: StackSettings) -> None:
    words = [secret(secured.home, f"kafka_{name}_password") for name in ("admin", "connect")]
    for member in (Kafka(secured), KafkaConnect(secured)):
        assert not [word for word in words if word in str(told(member))]


def test_each_server_may_read_the_folder_of_its_password_and_no_other(secured: StackSettings) -> None:
    for member, name in ((Kafka(secured), "admin"), (KafkaConnect(secured), "connect")):
        folder = told(member)["config.providers.directory.param.allowed.paths"]
        assert f"${{directory:{folder}:kafka_{name}_password}}" in str(told(member))
        secret(secured.home, f"kafka_{name}_password")
        assert (Path(folder) / f"kafka_{name}_password").exists()


def test_each_part_signs_in_as_itself(secured: StackSettings) -> None:
    parts = {name: member for name, member in TrialStack(secured).members.items() if isinstance(member, AppProcess)}
    users = {name: settings_of(part.command().env) for name, part in parts.items()}
    assert {name: now.kafka_user for name, now in users.items()} == {
        "migrations": "operator",
        "administrator": "operator",
        "connectors": "admin",
        "catalogue": "operator",
        "ledger-0": "ledger",
        "indexer-0": "indexer",
        "notifications-0": "notifications",
        "sales-0": "sales",
        "gate-0": "gate",
        "payments-0": "payments",
        "api": "api",
        "exporter": "exporter",
    }
    mechanisms = {now.kafka_user: now.kafka_mechanism for now in users.values()}
    assert [user for user, mechanism in mechanisms.items() if mechanism == "PLAIN"] == ["admin"]
    passwords = {now.kafka_password for now in users.values()}
    assert None not in passwords
    assert len(passwords) == len(mechanisms)


def test_every_principal_has_a_password(tmp_path: Path) -> None:
    words = {secret(tmp_path, f"kafka_{principal.name}_password") for principal in principals()}
    assert len(words) == len(principals())


def test_kafka_connect_waits_for_the_broker_that_makes_its_user(secured: StackSettings, tmp_path: Path) -> None:
    assert KafkaConnect(secured).needs == ("kafka",)
    assert KafkaConnect(StackSettings(home=tmp_path)).needs == ()

"""A broker with users and rights: our parts work, and nobody does what another part may do."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.errors import TopicAuthorizationFailedError
from kafka import TopicPartition
from kafka.errors import KafkaError

from connect.access.grants import grant
from connect.access.principals import ADMIN, Principal, principals
from connect.client_options import client_options
from connect.partitioning import partition_of
from connect.provisioning import open_admin, provision
from connect.records.appending import Appender
from connect.records.consumer import make_consumer
from connect.topics import COMMANDS, OPERATOR_ACTIONS, OUTCOMES, all_topics
from lab.target import settings_of
from lab.trial_stack import TrialStack
from settings import Settings
from stack.environment import app_environment
from stack.secret_files import KAFKA_PASSWORDS, secret
from tables.messages.commands import Buy, DefineEvent, EventCommand, TicketLine, encode_command
from tables.messages.outcomes import Outcome, OutcomeKind, decode_outcome
from tests.unit.tables.ledger_driver import definition, ticket_type

ROOT = Path(__file__).parents[3]
READ_TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialStack]:
    stack = TrialStack.on_free_ports(tmp_path_factory.mktemp("secured") / "home", kafka_security=True)
    stack.start("kafka")
    now = settings_for(stack, ADMIN)
    with closing(open_admin(now)) as admin:
        provision(admin, all_topics(), now)
    stack.start("ledger-0")
    yield stack
    stack.remove()


def settings_for(stack: TrialStack, principal: str) -> Settings:
    return settings_of(app_environment(stack.settings, principal))


def send(now: Settings, *commands: EventCommand) -> None:
    with closing(Appender(client_options(now))) as appender:
        for command in commands:
            key = str(command.event).encode()
            appender.append(COMMANDS, partition_of(key, now.partitions), key, encode_command(command), ())


def outcomes(now: Settings, event: str, count: int) -> list[Outcome]:
    """The first outcomes of an event, as soon as there are so many."""
    place = TopicPartition(OUTCOMES, partition_of(event.encode(), now.partitions))
    found: list[Outcome] = []
    until = time.monotonic() + READ_TIMEOUT_S
    with closing(make_consumer(client_options(now))) as consumer:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        while len(found) < count and time.monotonic() < until:
            records = [record for batch in consumer.poll(timeout_ms=200).values() for record in batch]
            found += [decode_outcome(record.value) for record in records if record.key == event.encode()]
    return found


def test_the_api_s_commands_are_decided_and_a_foreign_definition_is_refused(stack: TrialStack) -> None:
    api, floor = settings_for(stack, "api"), ticket_type(quantity=2)
    event = uuid4()
    send(api, DefineEvent(event, 1, definition(floor)))
    foreign = DefineEvent(event, 2**62, definition(ticket_type(quantity=500)))
    for principal in ("indexer", "notifications", "sales", "exporter", "connect", "producer-partner"):
        with pytest.raises(TopicAuthorizationFailedError):
            send(settings_for(stack, principal), foreign)
    send(api, *(Buy(event, uuid4(), uuid4(), [TicketLine(floor.id, 1)]) for _ in range(3)))
    kinds = [outcome.kind for outcome in outcomes(api, str(event), 4)]
    assert kinds == [OutcomeKind.CHANGED, OutcomeKind.CONFIRMED, OutcomeKind.CONFIRMED, OutcomeKind.REJECTED]


def test_nobody_reads_what_is_not_for_them(stack: TrialStack) -> None:
    now = settings_for(stack, "api")
    with closing(make_consumer(client_options(now))) as consumer:
        consumer.assign([TopicPartition(OPERATOR_ACTIONS, 0)])
        consumer.seek_to_beginning()
        with pytest.raises(KafkaError, match="TopicAuthorizationFailed"):
            consumer.poll(timeout_ms=5_000)


def test_a_reader_follows_outcomes_in_groups_of_its_own_and_writes_nothing(stack: TrialStack) -> None:
    api, reader = settings_for(stack, "api"), settings_for(stack, "reader")
    event = uuid4()
    send(api, DefineEvent(event, 1, definition(ticket_type())))
    assert read_outcomes(reader, "reader-shop", str(event).encode())
    with pytest.raises(KafkaError, match="GroupAuthorizationFailed"):
        read_outcomes(reader, "turnstile-sales", b"")
    with pytest.raises(TopicAuthorizationFailedError):
        send(reader, DefineEvent(event, 2, definition(ticket_type())))


def read_outcomes(now: Settings, group: str, key: bytes) -> bool:
    """Whether a member of a group finds an outcome with that key. Raises KafkaError."""
    until = time.monotonic() + READ_TIMEOUT_S
    with closing(make_consumer(client_options(now), group_id=group, auto_offset_reset="earliest")) as consumer:
        consumer.subscribe([OUTCOMES])
        while time.monotonic() < until:
            records = [record for batch in consumer.poll(timeout_ms=500).values() for record in batch]
            if any(record.key == key for record in records):
                consumer.commit()
                return True
    return False


@pytest.mark.parametrize("password", [None, "guessed"])
def test_nobody_gets_in_without_a_password(stack: TrialStack, password: str | None) -> None:
    user = {} if password is None else {"kafka_user": "api", "kafka_password": password}
    known = settings_for(stack, "api")
    now = Settings(kafka_servers=known.kafka_servers, ticket_key=known.ticket_key, **user)  # type: ignore[arg-type]
    with pytest.raises(KafkaError):
        make_consumer(client_options(now), bootstrap_timeout_ms=2_000)


def test_the_deployment_s_command_makes_the_same(stack: TrialStack, tmp_path: Path) -> None:
    for name in (principal.name for principal in principals()):
        (tmp_path / KAFKA_PASSWORDS[name]).write_text(secret(stack.settings.home, KAFKA_PASSWORDS[name]))
    environment = {
        **os.environ,
        **app_environment(stack.settings, ADMIN),
        "TURNSTILE_KAFKA_PASSWORDS_DIR": str(tmp_path),
    }
    command = (sys.executable, "-m", "ops", "kafka-access")
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(principals())} users have their passwords; 0 rights added, 0 removed" in done.stdout
    (tmp_path / KAFKA_PASSWORDS["api"]).unlink()
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "the password of api can't be read" in done.stdout


def test_rights_that_the_table_no_longer_has_are_taken_away(stack: TrialStack) -> None:
    known = [*principals(), Principal("guest", (OUTCOMES,), (COMMANDS,))]
    passwords = {it.name: secret(stack.settings.home, KAFKA_PASSWORDS[it.name]) for it in principals()}
    passwords["guest"] = "word"
    admin: Any = open_admin(settings_for(stack, ADMIN))
    with closing(admin):
        assert grant(admin, known, passwords) == (3, 0)
        assert grant(admin, known, passwords) == (0, 0)
        less = [*principals(), Principal("guest", (OUTCOMES,))]
        assert grant(admin, less, passwords) == (0, 1)

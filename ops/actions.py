"""The record of operators' actions that skip records, send them again or end holds, on the topic ``operator-actions``.

An action is recorded before its effect, so no effect is without a record; an action may be recorded twice.
"""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

from kafka import KafkaProducer

from connect.client_options import ClientOptions
from connect.records.consumer import read_topic
from connect.topics import OPERATOR_ACTIONS
from tables.errors import MalformedRecord
from tables.messages.operator_actions import OperatorAction, decode_action, encode_action

WRITE_TIMEOUT_S: Final = 30.0


def record(kafka: ClientOptions, action: str, reason: str, **details: Any) -> OperatorAction:
    """Append an action of this moment by this process's user; returns once Kafka has it. Raises KafkaError."""
    done = OperatorAction(datetime.now(UTC), f"{_user()}@{socket.gethostname()}", action, reason, details)
    with closing(KafkaProducer(**kafka, acks="all")) as producer:
        producer.send(OPERATOR_ACTIONS, value=encode_action(done)).get(WRITE_TIMEOUT_S)
    return done


def read(kafka: ClientOptions) -> Iterator[OperatorAction]:
    """All recorded actions, the oldest first; unreadable records are left out. Raises KafkaError."""
    for record in read_topic(kafka, OPERATOR_ACTIONS):
        try:
            action = decode_action(record.value)
        except MalformedRecord:
            continue
        yield action


def _user() -> str:
    """The user of this process; its number if the system has no name for it, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())

"""Getting a failed connector past a change that is too large for a record: past this one, and no other.

The slot is read without being moved, in Debezium's role, to find the change; then the connector's stored offset is set
to its place. Debezium goes on with what follows it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import psycopg

from connect.connectors.configuration import Connector
from connect.connectors.pgoutput import Change, changes
from connect.connectors.rest_client import State, Unavailable
from connect.errors import NotSkipped
from connect.polling import Patience
from settings import Settings

# Kafka's and its producer's limit for a record.
RECORD_MAX_BYTES: Final = 1024 * 1024
CREDENTIAL_FILE: Final = "cdc_password"
_WAITING: Final = """
SELECT (lsn - '0/0'::pg_lsn)::bigint, data FROM pg_logical_slot_peek_binary_changes(
    %(slot)s, NULL, NULL, 'proto_version', '1', 'publication_names', %(publication)s
)
"""


class Connectors(Protocol):
    """Kafka Connect, as far as skipping is concerned."""

    def state(self, name: str) -> State: ...
    def offsets(self, name: str) -> list[dict[str, Any]]: ...
    def stop(self, name: str) -> None: ...
    def set_offsets(self, name: str, offsets: list[dict[str, Any]]) -> bool: ...
    def resume(self, name: str) -> None: ...


Waiting = Callable[[Connector], Iterator[tuple[int, bytes]]]


class Skip(NamedTuple):
    """The change that is skipped, and how many lie before it in the slot, which Kafka has or gets again."""

    change: Change
    before: int


def find(worker: Connectors, connector: Connector, waiting: Waiting) -> Skip:
    """The change that the connector failed at. Raises NotSkipped unless it has failed, at one that is too large."""
    name = connector.name
    if not worker.state(name).failed:
        raise NotSkipped(f"connector {name} has not failed; nothing is skipped")
    positions = {each["offset"].get("lsn") for each in worker.offsets(name)}
    if not positions:
        raise NotSkipped(f"connector {name} has stored no position yet, it fails at its snapshot; mend the row itself")
    # The slot still has what lies before the stored position, and what was skipped there.
    pending = list(changes(waiting(connector)))
    begin = max((number for number, change in enumerate(pending, 1) if change.lsn in positions), default=0)
    for before, change in enumerate(pending[begin:]):
        if change.size > RECORD_MAX_BYTES:
            return Skip(change, before)
    raise NotSkipped(f"no change that waits for connector {name} is larger than a record; see its error")


def skip(worker: Connectors, connector: Connector, change: Change, patience: Patience) -> None:
    """Let the connector go on behind the change. Raises NotSkipped when Kafka Connect doesn't do it in time."""
    name = connector.name
    offsets = [_moved(each, change) for each in worker.offsets(name)]
    worker.stop(name)
    while _refused(lambda: worker.set_offsets(name, offsets)):
        if not patience.left:
            worker.resume(name)
            raise NotSkipped(f"Kafka Connect does not stop connector {name}, or takes no offset for it")
        patience.wait()
    worker.resume(name)


def _moved(stored: dict[str, Any], change: Change) -> dict[str, Any]:
    offset = stored["offset"]
    moved: dict[str, Any] = {"lsn": change.lsn}
    if "lsn_proc" in offset:
        moved["lsn_proc"] = change.lsn
    if "messageType" in offset:
        moved["messageType"] = change.operation
    return stored | {"offset": offset | moved}


def _refused(action: Callable[[], bool]) -> bool:
    """Whether it has to be tried again: offsets can be set once the connector has come to its end."""
    try:
        return not action()
    except Unavailable:
        return True


@contextmanager
def open_slots(settings: Settings) -> Iterator[Waiting]:
    """What waits in a connector's slot, read in Debezium's role, whose password has to be readable here."""
    file = Path(settings.connect_secrets_dir) / CREDENTIAL_FILE
    try:
        password = file.read_text()
    except OSError as error:
        raise NotSkipped(f"the password of {settings.connect_database_user} can't be read: {error}") from error
    with psycopg.connect(
        host=settings.connect_database_host,
        port=settings.connect_database_port,
        dbname=settings.connect_database_name,
        user=settings.connect_database_user,
        password=password,
        connect_timeout=10,
        autocommit=True,
    ) as connection:

        def waiting(connector: Connector) -> Iterator[tuple[int, bytes]]:
            values = {"slot": connector.slot, "publication": connector.publication}
            yield from connection.execute(_WAITING, values)

        yield waiting

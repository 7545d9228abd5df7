"""Skips the one change that a connector failed at because it is too large for a record.

It peeks into the slot in Debezium's role to find the change, then sets the connector's stored offset to the change's
position. Debezium continues after it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import psycopg
from psycopg import conninfo

from connect.connectors.configuration import Connector
from connect.connectors.pgoutput import WalChange, decode_changes
from connect.connectors.rest_client import ConnectorState, not_yet
from connect.errors import NotSkipped
from connect.polling import Polling
from settings import Settings
from settings.servers import DATABASE_CONNECT_TIMEOUT_S

# The limit of Kafka and its producer.
RECORD_MAX_BYTES: Final = 1024 * 1024
CREDENTIAL_FILE: Final = "cdc_password"
_PENDING_CHANGES: Final = """
SELECT (lsn - '0/0'::pg_lsn)::bigint, data FROM pg_logical_slot_peek_binary_changes(
    %(slot)s, NULL, NULL, 'proto_version', '1', 'publication_names', %(publication)s
)
"""


class SkippingClient(Protocol):
    """Kafka Connect, as far as skipping needs it."""

    def state(self, name: str) -> ConnectorState: ...
    def offsets(self, name: str) -> list[dict[str, Any]]: ...
    def stop(self, name: str) -> None: ...
    def set_offsets(self, name: str, offsets: list[dict[str, Any]]) -> bool: ...
    def resume(self, name: str) -> None: ...


PendingChanges = Callable[[Connector], Iterator[tuple[int, bytes]]]


class OversizedChange(NamedTuple):
    """The change to skip, and the number of changes before it in the slot, which Kafka has or will get."""

    change: WalChange
    before: int


def find_oversized_change(worker: SkippingClient, connector: Connector, waiting: PendingChanges) -> OversizedChange:
    """The change that the connector failed at. Raises NotSkipped unless that is an oversized one."""
    name = connector.name
    if not worker.state(name).failed:
        raise NotSkipped(f"connector {name} has not failed; nothing is skipped")
    positions = {each["offset"].get("lsn") for each in worker.offsets(name)}
    if not positions:
        raise NotSkipped(
            f"connector {name} has stored no position yet, it fails at its snapshot; repair the row itself"
        )
    # The slot still has changes before the stored position, including skipped ones.
    pending = list(decode_changes(waiting(connector)))
    begin = max((number for number, change in enumerate(pending, 1) if change.lsn in positions), default=0)
    for before, change in enumerate(pending[begin:]):
        if change.size > RECORD_MAX_BYTES:
            return OversizedChange(change, before)
    raise NotSkipped(f"no pending change of connector {name} is too large for a record; see its error")


def skip_change(worker: SkippingClient, connector: Connector, change: WalChange, polling: Polling) -> None:
    """Let the connector continue after the change. Raises NotSkipped if Kafka Connect doesn't do it in time."""
    name = connector.name
    offsets = [_moved(each, change) for each in worker.offsets(name)]
    worker.stop(name)
    while not_yet(lambda: worker.set_offsets(name, offsets)):
        if not polling.left:
            worker.resume(name)
            raise NotSkipped(f"Kafka Connect does not stop connector {name}, or does not accept its offsets")
        polling.wait()
    worker.resume(name)


def _moved(stored: dict[str, Any], change: WalChange) -> dict[str, Any]:
    offset = stored["offset"]
    moved: dict[str, Any] = {"lsn": change.lsn}
    if "lsn_proc" in offset:
        moved["lsn_proc"] = change.lsn
    if "messageType" in offset:
        moved["messageType"] = change.operation
    return stored | {"offset": offset | moved}


@contextmanager
def open_pending_changes(settings: Settings) -> Iterator[PendingChanges]:
    """The pending changes of a connector's slot, read in Debezium's role, whose password file must be readable here."""
    file = Path(settings.connect_secrets_dir) / CREDENTIAL_FILE
    try:
        password = file.read_text()
    except OSError as error:
        raise NotSkipped(f"the password of {settings.connect_database_user} can't be read: {error}") from error
    with psycopg.connect(
        conninfo.make_conninfo(**settings.database_tls),
        host=settings.connect_database_host,
        port=settings.connect_database_port,
        dbname=settings.connect_database_name,
        user=settings.connect_database_user,
        password=password,
        connect_timeout=DATABASE_CONNECT_TIMEOUT_S,
        autocommit=True,
    ) as connection:

        def waiting(connector: Connector) -> Iterator[tuple[int, bytes]]:
            values = {"slot": connector.slot, "publication": connector.publication}
            yield from connection.execute(_PENDING_CHANGES, values)

        yield waiting

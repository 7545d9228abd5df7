"""Connections to PostgreSQL that wait for an answer only so long, in the API and in workers.

The kernel of a server that is stopped, or whose disk hangs, acknowledges what is sent: such a wait is ended neither by
TCP nor by the server's own ``statement_timeout``, which has to be shorter, so that no statement goes on without us.
"""

from typing import Any, TypeVar

from psycopg import AsyncConnection, Connection, OperationalError, conninfo
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

Result = TypeVar("Result")


class ApiConnection(Connection[DictRow]):
    """Raises OperationalError, and is closed, where an answer takes longer than ``answer_timeout_s``."""

    answer_timeout_s = 8.0

    def wait(self, gen: PQGen[Result], *_: Any, **__: Any) -> Result:
        try:
            return super().wait(gen, timeout=self.answer_timeout_s)
        except OperationalError:
            _end_what_waits(self.pgconn)
            raise


class WorkerConnection(AsyncConnection[Any]):
    """Raises OperationalError, and is closed, where an answer takes longer than ``answer_timeout_s``."""

    answer_timeout_s = 40.0

    async def wait(self, gen: PQGen[Result], *_: Any, **__: Any) -> Result:
        try:
            return await super().wait(gen, timeout=self.answer_timeout_s)
        except OperationalError:
            _end_what_waits(self.pgconn)
            raise


def with_session_options(url: str, options: str, **parameters: Any) -> str:
    """The address with ``options`` of the session after its own, and with other parameters of libpq."""
    known = conninfo.conninfo_to_dict(url).get("options") or ""
    return conninfo.make_conninfo(url, options=f"{known} {options}".strip(), **parameters)


def _end_what_waits(connection: Any) -> None:
    if connection.transaction_status == TransactionStatus.ACTIVE:
        connection.finish()

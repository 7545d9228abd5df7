"""A worker's connection to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.errors import IdleInTransactionSessionTimeout, ReadOnlySqlTransaction, TransactionTimeout

from streams.runtime.app import App

# Those of the InternalErrors that are about the connection: the server became a replica, or ended a slow transaction.
_OF_CONNECTION = (ReadOnlySqlTransaction, IdleInTransactionSessionTimeout, TransactionTimeout)
UNAVAILABLE = (OperationalError, InterfaceError, *_OF_CONNECTION)


class LazyConnection:
    """A connection to PostgreSQL, opened when it is needed, and again once it is closed. A statement commits itself."""

    def __init__(self, app: App, options: str | None = None) -> None:
        self._app = app
        self._options = options
        self._connection: AsyncConnection[Any] | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncConnection[Any]]:
        """The open connection. Raises one of UNAVAILABLE, and closes it where it is of no more use."""
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self._app.settings.database_url.get_secret_value(),
                autocommit=True,
                options=self._options,
            )
        try:
            yield self._connection
        except _OF_CONNECTION:
            await self._connection.close()
            raise

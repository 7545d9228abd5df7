"""A worker's connection to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, InterfaceError, InternalError, OperationalError

from streams.runtime.app import App

# An InternalError is about the server, too: it is read-only since it became a replica, say.
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)


class LazyConnection:
    """A connection to PostgreSQL, opened when it is needed, and again once it is closed. A statement commits itself."""

    def __init__(self, app: App, options: str | None = None) -> None:
        self._app = app
        self._options = options
        self._connection: AsyncConnection[Any] | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncConnection[Any]]:
        """The open connection. Raises one of UNAVAILABLE, and closes it after an InternalError."""
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self._app.settings.database_url.get_secret_value(),
                autocommit=True,
                options=self._options,
            )
        try:
            yield self._connection
        except InternalError:
            await self._connection.close()
            raise

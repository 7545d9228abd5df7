"""A worker's connection to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection

from connect.postgres_errors import LOST_SESSION
from streams.runtime.app import App


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
        except LOST_SESSION:
            await self._connection.close()
            raise

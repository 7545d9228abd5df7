"""A worker's connection to PostgreSQL."""

from typing import Any

from psycopg import AsyncConnection, InterfaceError, OperationalError

from streams.runtime.app import App

UNAVAILABLE = (OperationalError, InterfaceError)


class LazyConnection:
    """A connection to PostgreSQL, opened when it is needed, and again once it is closed. A statement commits itself."""

    def __init__(self, app: App, options: str | None = None) -> None:
        self._app = app
        self._options = options
        self._connection: AsyncConnection[Any] | None = None

    async def open(self) -> AsyncConnection[Any]:
        """The open connection. Raises one of UNAVAILABLE."""
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self._app.settings.database_url.get_secret_value(),
                autocommit=True,
                options=self._options,
            )
        return self._connection

"""A worker's connection to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connect.postgres_connections import WorkerConnection, with_session_options
from connect.postgres_errors import LOST_SESSION
from streams.runtime.app import App


class LazyConnection:
    """A connection to PostgreSQL, opened when it is needed, and again once it is closed. A statement commits itself."""

    def __init__(self, app: App, options: str = "") -> None:
        self._app = app
        self._options = f"-c statement_timeout=30s {options}"
        self._connection: WorkerConnection | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[WorkerConnection]:
        """The open connection. Raises one of UNAVAILABLE, and closes it where it is of no more use."""
        if self._connection is None or self._connection.closed:
            url = self._app.settings.database_url.get_secret_value()
            self._connection = await WorkerConnection.connect(with_session_options(url, self._options), autocommit=True)
        try:
            yield self._connection
        except LOST_SESSION:
            await self._connection.close()
            raise

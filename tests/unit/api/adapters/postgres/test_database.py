"""Which errors of PostgreSQL are an outage, and which are a fault that is told with its trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.errors import (
    DataCorrupted,
    IdleInTransactionSessionTimeout,
    InFailedSqlTransaction,
    InternalError_,
    ReadOnlySqlTransaction,
    TransactionTimeout,
)

from api.adapters.postgres.database import Database
from api.problems import Unavailable


class FailingDatabase(Database):
    """Its connection raises an error."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__("postgresql://nowhere")
        self.error = error

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        yield None
        raise self.error


@pytest.mark.parametrize("error", [ReadOnlySqlTransaction, IdleInTransactionSessionTimeout, TransactionTimeout])
def test_a_server_that_can_not_write_now_is_unavailable(error: type[psycopg.Error]) -> None:
    with pytest.raises(Unavailable), FailingDatabase(error()).transaction():
        pass


@pytest.mark.parametrize("error", [DataCorrupted, InternalError_, InFailedSqlTransaction])
def test_what_is_wrong_in_the_server_or_with_us_is_no_outage(error: type[psycopg.Error]) -> None:
    with pytest.raises(error), FailingDatabase(error()).transaction():
        pass

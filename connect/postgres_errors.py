"""The errors of psycopg that say nothing of a statement, but of the connection, in the API and in workers."""

from typing import Final

from psycopg import Error, InterfaceError, OperationalError
from psycopg.errors import IdleInTransactionSessionTimeout, ReadOnlySqlTransaction, TransactionTimeout

# The server became a replica, or ended a slow transaction: the next connection may lead to one that can be written to.
# psycopg calls them internal errors, like faults of the server or of our own, which are not among these.
LOST_SESSION: Final[tuple[type[Error], ...]] = (
    ReadOnlySqlTransaction,
    IdleInTransactionSessionTimeout,
    TransactionTimeout,
)
UNAVAILABLE: Final[tuple[type[Error], ...]] = (OperationalError, InterfaceError, *LOST_SESSION)

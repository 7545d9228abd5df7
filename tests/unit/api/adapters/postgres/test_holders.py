"""Of whom PostgreSQL is asked how much they hold, on a clock that the test turns; the database is a fake."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from api.adapters.postgres.holders import REMEMBERED_S, RETRY_AFTER_S, HolderRows
from api.problems import Unavailable

ADA = uuid4()


class Database:
    """Knows what is held, unless it is away; counts the questions."""

    def __init__(self) -> None:
        self.now = 0.0
        self.away = False
        self.asked: list[UUID] = []

    def one(self, query: str, **values: Any) -> dict[str, Any]:
        self.asked.append(values["account"])
        if self.away:
            raise Unavailable("postgres")
        return {"held": 7}


def rows() -> tuple[Database, HolderRows]:
    database: Any = Database()
    return database, HolderRows(database, lambda: database.now)


def held(holders: HolderRows, account: UUID) -> int:
    return asyncio.run(holders.held(account))


def test_the_first_hold_of_an_account_asks_nobody() -> None:
    database, holders = rows()
    assert [held(holders, ADA), held(holders, uuid4()), held(holders, ADA), held(holders, ADA)] == [0, 0, 7, 7]
    assert database.asked == [ADA, ADA]


def test_who_has_not_held_for_an_hour_holds_for_the_first_time() -> None:
    database, holders = rows()
    held(holders, ADA)
    database.now = REMEMBERED_S - 1
    assert held(holders, ADA) == 7
    database.now += REMEMBERED_S
    assert held(holders, ADA) == 0


def test_a_database_that_is_away_refuses_nobody_and_is_left_alone_for_a_moment() -> None:
    database, holders = rows()
    held(holders, ADA)
    database.away = True
    assert (held(holders, ADA), held(holders, ADA), len(database.asked)) == (0, 0, 1)
    database.away = False
    database.now += RETRY_AFTER_S
    assert held(holders, ADA) == 7

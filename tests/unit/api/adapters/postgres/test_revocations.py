"""Ended sessions are read again and again, whatever an attempt ended with."""

import logging
from threading import Event
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege

from api.adapters.postgres import revocations
from api.adapters.postgres.revocations import RevocationRows
from telemetry.rate_limited import RateLimitedLog


class Database:
    """Refuses, and tells when it has done so ten times."""

    def __init__(self) -> None:
        self.refused = 0
        self.often = Event()

    def transaction(self) -> Any:
        self.refused += 1
        if self.refused == 10:
            self.often.set()
        raise InsufficientPrivilege("permission denied for table revocation")


def test_what_keeps_them_from_being_read_is_logged_once_in_a_while(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "limited_log", RateLimitedLog(revocations.log))
    database: Any = Database()
    rows = RevocationRows(database, seconds=60, poll_every_s=0.001)
    rows.open()
    assert database.often.wait(10)
    rows.close()
    told = [record for record in caplog.records if "ended sessions" in record.message]
    assert [record.levelno for record in told] == [logging.WARNING]
    assert not rows.is_known

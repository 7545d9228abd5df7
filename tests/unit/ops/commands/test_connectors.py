"""``turnstile connectors skip``: shows what would be lost, and does it only when told to, after it was written down."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connect.connectors import skipping
from connect.connectors.pgoutput import WalChange
from ops import actions
from ops.commands import connectors as cli
from settings import Settings

CHANGE = WalChange(0x1_0000_0030, "UPDATE", "public.event", "\x1b[31mrow", 2_000_000)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is done, in its order."""
    done: list[Any] = []

    @contextmanager
    def open_slots(_: object) -> Iterator[None]:
        yield

    def record(servers: str, action: str, reason: str, **details: Any) -> None:
        done.append((action, reason, details["lsn"], details["table"]))

    monkeypatch.setattr(cli, "settings", lambda: Settings(ticket_key="k" * 32))
    monkeypatch.setattr(skipping, "open_pending_changes", open_slots)
    monkeypatch.setattr(skipping, "find_oversized_change", lambda *_: skipping.OversizedChange(CHANGE, 3))
    monkeypatch.setattr(skipping, "skip_change", lambda worker, connector, change, patience: done.append(change))
    monkeypatch.setattr(actions, "record", record)
    return done


def skip(*arguments: str) -> Result:
    return CliRunner().invoke(cli.command, ["skip", "turnstile-event", "--reason", "too large", *arguments])


def test_what_would_be_lost_is_shown_and_nothing_is_done(done: list[Any]) -> None:
    shown = skip()
    assert shown.exit_code == 1
    told = "UPDATE of public.event, row \\x1b[31mrow, about 2000000 bytes at 1/30 is lost, and nothing else"
    assert told in shown.output
    assert done == []


def test_it_is_written_down_before_it_is_done(done: list[Any]) -> None:
    assert skip("--yes").exit_code == 0
    assert done == [("connectors skip", "too large", CHANGE.lsn, "public.event"), CHANGE]


def test_a_connector_that_is_none_of_ours_is_refused(done: list[Any]) -> None:
    other = CliRunner().invoke(cli.command, ["skip", "other", "--reason", "x", "--yes"])
    assert (other.exit_code, "other is none of turnstile-account" in other.output, done) == (2, True, [])

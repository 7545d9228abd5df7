"""The command line of the entrance."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.commands.gate import command as gate
from settings import settings
from tables.signing.tickets import Ticket, TicketSigner
from tests.unit.tables.ledger_driver import EVENT, codes

CODE = codes(1, 0)[0]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 32)
    settings.cache_clear()


@pytest.fixture
def public_key(tmp_path: Path) -> Path:
    path = tmp_path / "gate.pem"
    path.write_text(CliRunner().invoke(gate, ["key"]).output)
    return path


def test_a_ticket_is_checked_with_the_printed_key(public_key: Path) -> None:
    signed = TicketSigner(b"k" * 32).sign(Ticket(EVENT, CODE))
    done = CliRunner().invoke(gate, ["check", str(public_key), signed])
    assert (done.exit_code, done.output) == (0, f"{EVENT} {CODE}\n")


@pytest.mark.parametrize("text", ["nonsense", TicketSigner(b"x" * 32).sign(Ticket(EVENT, CODE))])
def test_what_is_no_ticket_is_told_with_exit_code_1(public_key: Path, text: str) -> None:
    done = CliRunner().invoke(gate, ["check", str(public_key), text])
    assert done.exit_code == 1
    assert "not a ticket" in done.output


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("nothing")
    done = CliRunner().invoke(gate, ["check", str(tmp_path / "other"), "TS1."])
    assert done.exit_code == 2
    assert "(PEM)" in done.output

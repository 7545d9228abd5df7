"""Signed tickets: a gate accepts what was signed, and nothing else."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tables.signing.tickets import TICKET_LENGTH, InvalidTicket, Ticket, TicketSigner, read_ticket
from tests.unit.tables.ledger_driver import EVENT, codes

SIGNER = TicketSigner(b"k" * 32)
TICKET = Ticket(EVENT, codes(1, 0)[0])
SIGNED = SIGNER.sign(TICKET)


def test_a_gate_reads_what_was_signed_with_the_public_key_alone() -> None:
    assert read_ticket(SIGNED, SIGNER.public_key) == TICKET
    assert SIGNER.public_pem.encode() == SIGNER.public_pem.encode("ascii")
    assert load_pem_public_key(SIGNER.public_pem.encode()) == SIGNER.public_key


def test_a_ticket_is_the_same_each_time_and_fits_a_small_qr_code() -> None:
    assert SIGNER.sign(TICKET) == SIGNED
    assert len(SIGNED) == TICKET_LENGTH == 152
    assert set(SIGNED) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.")


@pytest.mark.parametrize("place", [4, 20, 40, 60, TICKET_LENGTH - 1])
def test_any_other_letter_makes_it_no_ticket(place: int) -> None:
    forged = SIGNED[:place] + ("A" if SIGNED[place] != "A" else "B") + SIGNED[place + 1 :]
    with pytest.raises(InvalidTicket):
        read_ticket(forged, SIGNER.public_key)


@pytest.mark.parametrize(
    "text", ["", "TS1.", SIGNED[:-1], SIGNED + "A", SIGNED.lower(), "TS2." + SIGNED[4:], "ü" * 152]
)
def test_what_has_another_form_is_no_ticket(text: str) -> None:
    with pytest.raises(InvalidTicket, match="form"):
        read_ticket(text, SIGNER.public_key)


def test_another_key_signs_no_ticket_of_ours() -> None:
    with pytest.raises(InvalidTicket, match="signature"):
        read_ticket(TicketSigner(b"x" * 32).sign(TICKET), SIGNER.public_key)


def test_a_signature_is_for_one_event() -> None:
    other = SIGNER.sign(Ticket(UUID(int=9), TICKET.code))
    with pytest.raises(InvalidTicket):
        read_ticket(SIGNED[:40] + other[40:], SIGNER.public_key)

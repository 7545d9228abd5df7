"""``turnstile gate``: the public key that entrances check tickets with, and a check by hand."""

import sys
from pathlib import Path

import rich_click as click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from settings import settings
from tables.signing.tickets import InvalidTicket, TicketSigner, read_ticket


@click.group(name="gate")
def command() -> None:
    """Tickets at the entrance. A ticket has its event and its code. The gate itself lets a code in only once."""


@command.command()
def key() -> None:
    """Print the public key (PEM). With it alone a gate checks tickets, and nobody can make any."""
    click.echo(TicketSigner(settings().ticket_key.get_secret_value().encode()).public_pem, nl=False)


@command.command()
@click.argument("public_key", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("ticket")
def check(public_key: Path, ticket: str) -> None:
    """Print the event and the code of a TICKET, the text in its picture. Exit code 1 if it is not a ticket."""
    try:
        known = load_pem_public_key(public_key.read_bytes())
    except ValueError as error:
        raise click.BadParameter(f"{public_key} is not a public key (PEM)") from error
    if not isinstance(known, Ed25519PublicKey):
        raise click.BadParameter(f"{public_key} is not an Ed25519 key")
    try:
        read = read_ticket(ticket.strip(), known)
    except InvalidTicket as error:
        sys.exit(f"not a ticket: {error}")
    click.echo(f"{read.event} {read.code}")

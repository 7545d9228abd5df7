"""What the board says of the names on it, and where the runbook (docs/operations.md) continues."""

from typing import Final, NamedTuple

from connect.topics import COMMANDS, OUTCOMES


class PartText(NamedTuple):
    """What a part is, in a sentence or two, and the section of the runbook for when it is not well."""

    about: str
    section: str


PARTS: Final[dict[str, PartText]] = {
    "postgres": PartText(
        "The database: events, ticket types and accounts, and a copy of all purchases. /s counts its transactions.",
        "sourcedown",
    ),
    "connect": PartText(
        "Reads PostgreSQL's log and appends each changed row to Kafka, in Kafka Connect. turnstile-event captures "
        "events, turnstile-account accounts, turnstile-outbox what the ledger has to know of an event.",
        "connectorfailed",
    ),
    "indexer": PartText("Workers that write changed events to the search index.", "indexlag"),
    "elasticsearch": PartText("The search index: the events that visitors find.", "searchred"),
    "api": PartText("This server: the REST API and all pages. It appends what buyers ask for to Kafka.", "apierrors"),
    COMMANDS: PartText(
        f"Kafka's topic {COMMANDS}: what buyers ask for, such as a hold or a purchase, in the order of arrival.",
        "brokerunhealthy",
    ),
    "ledger": PartText(
        "Workers that decide each command. Only they know what is held and sold, so no ticket is sold twice.",
        "ledgerworkersmissing",
    ),
    OUTCOMES: PartText(f"Kafka's topic {OUTCOMES}: what the ledger has decided.", "decisionsslow"),
    "sales": PartText("Workers that copy what was decided to PostgreSQL.", "laggrowing"),
    "purchases": PartText("PostgreSQL's table of purchases, for lists and sales figures.", "sourcedown"),
    "notifications": PartText("Workers that write the mails about purchases and send them.", "laggrowing"),
    "mail": PartText("The mail server that delivers the mails.", "mailfailing"),
}
# By the id of a guarantee, the section for when it is broken.
GUARANTEES: Final[dict[str, str]] = {
    "stock": "invariantbroken",
    "decided": "laggrowing",
    "captured": "capturestale",
    "sale": "salediffers",
    "found": "indexlag",
    "letters": "deadletters",
}
CONSUMERS: Final[dict[str, str]] = {
    "ledger": "Decides commands.",
    "catalogue": "Tells the ledger what is on sale, from the events in PostgreSQL.",
    "indexer": "Writes events to the search index.",
    "contacts": "Keeps the addresses and languages that mails need.",
    "notifications": "Decides which mails an outcome or a changed event needs.",
    "resends": "Takes requests to send a mail once more.",
    "mailer": "Writes mails and gives them to the mail server.",
    "retries": "Returns mails to the mailer that the mail server refused for now.",
    "deliveries": "Stores in PostgreSQL what became of each mail.",
    "sales": "Stores purchases in PostgreSQL.",
    "gate": "Checks the requests of other systems that sell by Kafka.",
    "answers": "Writes the answers to those requests.",
    "payment-outcomes": "Tells payments what was decided about their purchases.",
    "payments": "Decides what is asked of the provider of payments, and when a paid purchase is confirmed.",
    "payment-requests": "Asks the provider to authorize, capture, release and refund.",
}

"""What the board says of the names on it, and where the runbook (docs/operations.md) continues."""

from typing import Final, NamedTuple

from api.pages.language import LazyText, lazy_gettext
from connect.topics import COMMANDS, OUTCOMES


class PartText(NamedTuple):
    """What a part is, in a sentence or two, and the section of the runbook for when it is not well."""

    about: LazyText
    section: str


PARTS: Final[dict[str, PartText]] = {
    "postgres": PartText(
        lazy_gettext(
            "The database: events, ticket types and accounts, and a copy of all purchases. /s counts its transactions."
        ),
        "sourcedown",
    ),
    "connect": PartText(
        lazy_gettext(
            "Reads PostgreSQL’s log and appends each changed row to Kafka, in Kafka Connect. turnstile-event captures "
            "events, turnstile-account accounts, turnstile-outbox what the ledger has to know of an event."
        ),
        "connectorfailed",
    ),
    "indexer": PartText(lazy_gettext("Workers that write changed events to the search index."), "indexlag"),
    "elasticsearch": PartText(lazy_gettext("The search index: the events that visitors find."), "searchred"),
    "api": PartText(
        lazy_gettext("This server: the REST API and all pages. It appends what buyers ask for to Kafka."), "apierrors"
    ),
    COMMANDS: PartText(
        lazy_gettext(
            "Kafka’s topic ticket-commands: what buyers ask for, such as a hold or a purchase, in the order of arrival."
        ),
        "brokerunhealthy",
    ),
    "ledger": PartText(
        lazy_gettext(
            "Workers that decide each command. Only they know what is held and sold, so no ticket is sold twice."
        ),
        "ledgerworkersmissing",
    ),
    OUTCOMES: PartText(lazy_gettext("Kafka’s topic ticket-purchase: what the ledger has decided."), "decisionsslow"),
    "sales": PartText(lazy_gettext("Workers that copy what was decided to PostgreSQL."), "laggrowing"),
    "purchases": PartText(lazy_gettext("PostgreSQL’s table of purchases, for lists and sales figures."), "sourcedown"),
    "notifications": PartText(
        lazy_gettext("Workers that write the mails about purchases and send them."), "laggrowing"
    ),
    "mail": PartText(lazy_gettext("The mail server that delivers the mails."), "mailfailing"),
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
CONSUMERS: Final[dict[str, LazyText]] = {
    "ledger": lazy_gettext("Decides commands."),
    "catalogue": lazy_gettext("Tells the ledger what is on sale, from the events in PostgreSQL."),
    "indexer": lazy_gettext("Writes events to the search index."),
    "contacts": lazy_gettext("Keeps the addresses and languages that mails need."),
    "notifications": lazy_gettext("Decides which mails an outcome or a changed event needs."),
    "resends": lazy_gettext("Takes requests to send a mail once more."),
    "mailer": lazy_gettext("Writes mails and gives them to the mail server."),
    "retries": lazy_gettext("Returns mails to the mailer that the mail server refused for now."),
    "deliveries": lazy_gettext("Stores in PostgreSQL what became of each mail."),
    "sales": lazy_gettext("Stores purchases in PostgreSQL."),
    "gate": lazy_gettext("Checks the requests of other systems that sell by Kafka."),
    "answers": lazy_gettext("Writes the answers to those requests."),
    "payment-outcomes": lazy_gettext("Tells payments what was decided about their purchases."),
    "payments": lazy_gettext(
        "Decides what is asked of the provider of payments, and when a paid purchase is confirmed."
    ),
    "payment-requests": lazy_gettext("Asks the provider to authorize, capture, release and refund."),
}

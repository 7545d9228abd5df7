"""The records of ``notification-requests``: a purchase's mail again, or a mail about its payment."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from msgspec import Struct

from tables.messages.encoding import encode_json, json_decoder
from tables.messages.field_types import Time
from tables.messages.mail_kinds import MailKind
from tables.messages.outcomes import MoneyAmount


class PaymentNews(Struct, frozen=True):
    """What happened to a payment: the kind of its mail, the amount, and the provider's reference of the payment.

    ``deadline`` is until when a declined payment may be tried again; a version that did not tell it has none.
    """

    kind: MailKind
    amount: MoneyAmount
    reference: str = ""
    deadline: Time | None = None


class Resend(Struct, frozen=True, rename="camel", omit_defaults=True):
    """``id`` becomes the mail's id: with a known Message-ID a mailbox may hide it as a duplicate.

    With ``payment`` the mail is about that, else it is the purchase's last one. It is for ``account``, or the buyer.
    """

    id: UUID
    event: UUID
    purchase: UUID
    at: Time
    payment: PaymentNews | None = None
    account: UUID | None = None


decode_resend: Final = json_decoder(Resend)
encode_resend: Final[Callable[[Resend], bytes]] = encode_json

"""Stripe's webhooks: the signature, and the object that a notice is about."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from stripe import SignatureVerificationError, WebhookSignature

from providers.port import WEBHOOK_MAX_AGE_S, WebhookRefused
from providers.stripe_objects import StripeCharge, StripeDispute, StripeIntent
from tables.errors import MalformedRecord
from tables.messages.encoding import decode_json

SIGNATURE_HEADER: Final = "stripe-signature"


class _Data(Struct, frozen=True):
    object: msgspec.Raw


class _Body(Struct, frozen=True):
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    type: str
    data: _Data


class StripeNotice(Struct, frozen=True):
    """A webhook. ``about`` is None for a kind that concerns no payment; ``is_booking``: a charge may have its fee."""

    id: str
    about: StripeIntent | StripeCharge | StripeDispute | None
    is_booking: bool = False

    @property
    def metadata(self) -> Mapping[str, str]:
        """What we gave the payment when it was made; a dispute has none of it."""
        return self.about.metadata if isinstance(self.about, (StripeIntent, StripeCharge)) else {}


_bodies: Final = msgspec.json.Decoder(_Body)
_intents: Final = msgspec.json.Decoder(StripeIntent)
_charges: Final = msgspec.json.Decoder(StripeCharge)
_BOOKED: Final = "charge.updated"
_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "payment_intent.created": _intents,
    "payment_intent.requires_action": _intents,
    "payment_intent.payment_failed": _intents,
    "payment_intent.amount_capturable_updated": _intents,
    "payment_intent.succeeded": _intents,
    "payment_intent.canceled": _intents,
    "charge.refunded": _charges,
    _BOOKED: _charges,
    "charge.dispute.created": msgspec.json.Decoder(StripeDispute),
}


def read_notice(body: bytes, signature: str | None, secret: str) -> StripeNotice:
    """A webhook, checked. Raises WebhookRefused, MalformedRecord."""
    if signature is not None and not signature.isascii():  # the library can't compare it
        raise WebhookRefused("the signature is malformed")
    try:
        WebhookSignature.verify_header(body, signature, secret, WEBHOOK_MAX_AGE_S)
    except SignatureVerificationError as error:
        raise WebhookRefused("the signature is missing, too old, or does not fit the body") from error
    except UnicodeDecodeError as error:
        raise MalformedRecord("the body is not UTF-8") from error
    notice = decode_json(_bodies, body, MalformedRecord)
    decoder = _DECODERS.get(notice.type)
    about = decoder and decode_json(decoder, bytes(notice.data.object), MalformedRecord)
    return StripeNotice(notice.id, about, notice.type == _BOOKED)

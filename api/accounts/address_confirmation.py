"""Confirms an e-mail address, by the code from a mail or by the mail's link.

Others may have requested codes for the same address, and its owner can't tell them apart. So a code is valid only
with the secret of its request, which no mail contains. A link proves who reads the mailbox but not who requested it:
without the secret, the account gets a password that the reader of the mail chooses.
"""

import re
import secrets
from hashlib import sha256
from typing import Final, NamedTuple

from api.accounts.links import account_link
from api.accounts.notices import tell_address
from api.auth.account_mail_texts import AccountMail
from api.auth.account_mails import compose
from api.auth.clients import Asker, client
from api.ports.accounts import CONFIRMATION_VALID_FOR, ConfirmedAccount, PendingConfirmation
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.account import Account, Confirmation, SignUp
from tables.signing.links import LinkKind

# Without lookalikes: 30^10 codes, one of which is valid for a request.
_LETTERS: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_CODE_LETTERS: Final = 10
_SECRET_BYTES: Final = 24
GOAL_MAX_CHARACTERS: Final = 2_000


class ConfirmationLink(NamedTuple):
    """The signed subject of a link: the mail's code, and a secret of the link alone."""

    code: str
    secret: bytes

    @classmethod
    def of(cls, subject: bytes) -> "ConfirmationLink":
        """Parse a subject."""
        return cls(subject[:_CODE_LETTERS].decode(), subject[_CODE_LETTERS:])

    @property
    def subject(self) -> bytes:
        """The bytes that are signed."""
        return self.code.encode() + self.secret

    @property
    def digest(self) -> bytes:
        """The hash that is stored."""
        return sha256(self.subject).digest()


def ask_for_confirmation(
    account: Account, email: str, *, password_hash: str | None = None, sessions: int | None = None, goal: str = "/"
) -> SignUp:
    """Mail a code and a link to the address. They make the account, or change its address if ``sessions`` is given.

    Refused: too-many-requests; invalid-input for an address that the mail server refuses.
    """
    ports().rate_limits.take_mail(ports().rate_limits.asker(email))
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
    request, link = secrets.token_urlsafe(24), ConfirmationLink(code, secrets.token_bytes(_SECRET_BYTES))
    made = account if sessions is None else None
    goal = goal if len(goal) <= GOAL_MAX_CHARACTERS else "/"
    ports().accounts.add_confirmation(
        PendingConfirmation(
            digest(code, request), account.id, email, made, password_hash, sessions or 0, link.digest, goal
        )
    )
    about = AccountMail.SIGN_UP if made else AccountMail.NEW_ADDRESS
    address = account_link(
        LinkKind.CONFIRM_ADDRESS, link.subject, ports().clock() + CONFIRMATION_VALID_FOR, account.locale
    )
    ports().mailer(email, compose(about, account.locale, link=address, code=f"{code[:5]}-{code[5:]}"))
    return SignUp(email=email, request=request)


def confirmed_by_code(body: Confirmation) -> ConfirmedAccount:
    """The account that the code makes or changes. Refused: unknown-code, email-taken, too-many-requests."""
    codes, asker = ports().rate_limits.codes, Asker(body.request, client())
    codes.check(asker)
    confirmed = ports().accounts.confirm_by_code(digest(_typed(body.code), body.request), ports().clock())
    if confirmed is None:
        codes.count(asker)
    return _with_notice(confirmed)


def confirmed_by_link(link: ConfirmationLink, password_hash: str | None = None) -> ConfirmedAccount:
    """The account that the link makes, with this password if given, or changes. Refused: unknown-code, email-taken."""
    return _with_notice(ports().accounts.confirm_by_link(link.digest, ports().clock(), password_hash))


def digest(code: str, request: str) -> bytes:
    """The stored hash of a code and the secret of its request."""
    return sha256(f"{request}{code}".encode()).digest()


def _with_notice(confirmed: ConfirmedAccount | None) -> ConfirmedAccount:
    if confirmed is None:
        raise Refused("unknown-code")
    if confirmed.old_email is not None:
        tell_address(ports().mailer, confirmed.old_email, confirmed.account)
    return confirmed


def _typed(text: str) -> str:
    """A typed code as it was mailed. Codes of the version before are longer, and stay as they are."""
    letters = re.sub(r"[\s-]", "", text).upper()
    return letters if len(letters) == _CODE_LETTERS else text.strip()

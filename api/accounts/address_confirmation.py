"""How an address is confirmed: by the code from its mail where that was asked for, or by the mail's link.

Others may have asked for codes to the same address, and its reader can't tell them apart. So a code is good with the
request that it was asked for with, which no mail has. A link shows whose mailbox it is and not who asked: without the
request it makes an account with a password that its reader chooses then.
"""

import re
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from api.accounts.links import account_link
from api.accounts.notices import tell_address
from api.auth.account_mails import AccountMail, compose
from api.auth.clients import Asker, client
from api.ports.accounts import Granted, Wish
from api.problems import Refused
from api.schemas.account import Account, Confirmation, SignUp
from api.web.responses import ports
from tables.signing.links import LinkKind

GOOD_FOR: Final = timedelta(days=1)
# No letters that look like others: 30^10 codes, of which one is good for a request.
_LETTERS: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_CODE_LETTERS: Final = 10
_SECRET_BYTES: Final = 24
GOAL_MAX_CHARACTERS: Final = 2_000


class ConfirmationLink(NamedTuple):
    """What a link to confirm an address is signed for: the mail's code, and a secret of the link alone."""

    code: str
    secret: bytes

    @classmethod
    def of(cls, subject: bytes) -> "ConfirmationLink":
        """The link of that subject."""
        return cls(subject[:_CODE_LETTERS].decode(), subject[_CODE_LETTERS:])

    @property
    def subject(self) -> bytes:
        """As it is signed."""
        return self.code.encode() + self.secret

    @property
    def digest(self) -> bytes:
        """What is kept of it."""
        return sha256(self.subject).digest()


def ask_for_confirmation(
    account: Account, email: str, *, password_hash: str | None = None, sessions: int | None = None, goal: str = "/"
) -> SignUp:
    """Mail a code and a link to the address, with which the account is made; or, asked in ``sessions``, gets it.

    Refused: too-many-requests; invalid-input for a dead address.
    """
    ports().quotas.take_mail(ports().quotas.asker(email))
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
    request, link = secrets.token_urlsafe(24), ConfirmationLink(code, secrets.token_bytes(_SECRET_BYTES))
    made = account if sessions is None else None
    goal = goal if len(goal) <= GOAL_MAX_CHARACTERS else "/"
    ports().accounts.keep(
        Wish(digest(code, request), account.id, email, made, password_hash, sessions or 0, link.digest, goal)
    )
    about = AccountMail.SIGN_UP if made else AccountMail.NEW_ADDRESS
    address = account_link(LinkKind.CONFIRM_ADDRESS, link.subject, ports().clock() + GOOD_FOR)
    ports().mailer(email, compose(about, account.locale, link=address, code=f"{code[:5]}-{code[5:]}"))
    return SignUp(email=email, request=request)


def confirmed_by_code(body: Confirmation) -> Granted:
    """The account that the code makes or changes. Refused: unknown-code, email-taken, too-many-requests."""
    guesses, asker = ports().quotas.guesses, Asker(body.request, client())
    guesses.check(asker)
    granted = ports().accounts.grant(digest(_typed(body.code), body.request), ports().clock())
    if granted is None:
        guesses.count(asker)
    return _told(granted)


def confirmed_by_link(link: ConfirmationLink, password_hash: str | None = None) -> Granted:
    """The account that the link makes, with this password if one is given, or changes. Refused as for a code."""
    return _told(ports().accounts.grant_by_link(link.digest, ports().clock(), password_hash))


def digest(code: str, request: str) -> bytes:
    """What is kept of a code and its request."""
    return sha256(f"{request}{code}".encode()).digest()


def _told(granted: Granted | None) -> Granted:
    if granted is None:
        raise Refused("unknown-code")
    if granted.old_email is not None:
        tell_address(ports().mailer, granted.old_email, granted.account)
    return granted


def _typed(text: str) -> str:
    """A code as it was mailed, however it is typed. Codes of a version before are longer, and taken as they are."""
    letters = re.sub(r"[\s-]", "", text).upper()
    return letters if len(letters) == _CODE_LETTERS else text.strip()

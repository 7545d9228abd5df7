"""The way to the mail server: some connections, each kept open from mail to mail.

What the server says decides: it is away (wait for it), it refuses this mail for now (try it later), or for ever.

PostError
├── ServerAway      no answer, or none that has to do with this mail
├── RefusedForNow   a temporary code for this mail (RFC 5321, 4yz)
└── RefusedForEver  a permanent one (5yz), or a mail that this server can't be given
"""

import re
from email.message import EmailMessage
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from settings import Settings
from tables.errors import TurnstileError

TIMEOUT_S: Final = 15.0
FOR_EVER: Final = 500
CLOSING: Final = 421
SHOWN: Final = 300
_ADDRESS: Final = re.compile(r"[^\s<>]+@[^\s<>]+")


class PostError(TurnstileError):
    """A mail was not taken. The message has the server's words, without anybody's address."""


class ServerAway(PostError):
    """No fault of the mail: it is to be tried until the server is back."""


class RefusedForNow(PostError):
    """This mail may be taken later."""


class RefusedForEver(PostError):
    """This mail will never be taken."""


class Post:
    """Sends mails; as many at once as are asked for, each over a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: list[SMTP] = []

    async def send(self, mail: EmailMessage) -> None:
        """Hand a mail over; returns once the server has it. Raises PostError."""
        server = self._idle.pop() if self._idle else None
        if server is not None and server.is_connected:
            try:
                return await self._hand_over(server, mail)
            except SMTPServerDisconnected:  # while nobody wrote; says nothing of the server
                server.close()
            except (SMTPException, OSError, ValueError) as error:
                raise verdict(error) from error
        try:
            await self._hand_over(await self._connect(), mail)
        except (SMTPException, OSError, ValueError) as error:
            raise verdict(error) from error

    async def _hand_over(self, server: SMTP, mail: EmailMessage) -> None:
        try:
            await server.send_message(mail)
        except (SMTPResponseException, SMTPRecipientsRefused, SMTPNotSupported, ValueError):
            self._idle.append(server)
            raise
        except BaseException:  # how far it came is not known: the connection is of no more use
            server.close()
            raise
        self._idle.append(server)

    async def _connect(self) -> SMTP:
        settings, password = self._settings, self._settings.smtp_password
        server = SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=password.get_secret_value() if password else None,
            start_tls=settings.smtp_tls,
            timeout=TIMEOUT_S,
        )
        try:
            await server.connect()
        except (SMTPException, OSError, ValueError) as error:
            server.close()
            raise ServerAway(_words(error)) from error
        return server


def verdict(error: Exception) -> PostError:
    """What an error of a connection that stood means for the mail."""
    words = _words(error)
    if isinstance(error, SMTPRecipientsRefused):
        return _by_code(min(refusal.code for refusal in error.recipients), words)
    if isinstance(error, (SMTPConnectError, SMTPAuthenticationError)):
        return ServerAway(words)
    if isinstance(error, SMTPResponseException):
        return _by_code(error.code, words)
    if isinstance(error, (SMTPNotSupported, ValueError)):
        return RefusedForEver(words)
    return error if isinstance(error, PostError) else ServerAway(words)


def _by_code(code: int, words: str) -> PostError:
    if code == CLOSING:
        return ServerAway(words)
    return RefusedForEver(words) if code >= FOR_EVER else RefusedForNow(words)


def _words(error: Exception) -> str:
    """What happened, without the addresses that servers repeat."""
    if isinstance(error, SMTPRecipientsRefused):
        said = "; ".join(f"{refusal.code} {refusal.message}" for refusal in error.recipients)
    elif isinstance(error, SMTPResponseException):
        said = f"{error.code} {error.message}"
    else:
        said = str(error)
    return f"{type(error).__name__}: {_ADDRESS.sub('<address>', said)}"[:SHOWN]

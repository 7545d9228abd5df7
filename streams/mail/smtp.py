"""The SMTP client for mails: connections that stay open from mail to mail, and what a failure means.

SmtpError
├── ServerUnavailable   no connection, or an answer that is not about this mail: retry
├── TemporarilyRefused  a temporary code for this mail (RFC 5321, 4yz), or no answer to it: send it later
└── PermanentlyRefused  a permanent code (5yz), or a mail that can't be sent to this server
"""

import asyncio
import re
from email.message import EmailMessage
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from connect.client_options import PERMANENT_CODES, smtp_options
from settings import Settings
from tables.errors import TurnstileError

ANSWER_TIMEOUT_S: Final = 15.0
# What a mail, or a connection, may take in all: each consists of several answers.
TOTAL_TIMEOUT_S: Final = 45.0
TEMPORARY_CODES: Final = range(400, 500)
CLOSING_CODE: Final = 421
DETAIL_MAX_CHARACTERS: Final = 300
_ADDRESS: Final = re.compile(r"[^\s<>]+@[^\s<>]+")


class SmtpError(TurnstileError):
    """A mail was not sent. The message has the server's answer, without addresses."""


class ServerUnavailable(SmtpError):
    """The mail may be fine: retry it until the server is back."""


class TemporarilyRefused(SmtpError):
    """The server may accept this mail later."""


class PermanentlyRefused(SmtpError):
    """The server will never accept this mail."""


class SmtpClient:
    """Sends mails; concurrent ones use separate connections."""

    def __init__(
        self, settings: Settings, timeout_s: float = ANSWER_TIMEOUT_S, total_timeout_s: float = TOTAL_TIMEOUT_S
    ) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._total_timeout_s = total_timeout_s
        self._idle: list[SMTP] = []

    async def send(self, mail: EmailMessage) -> None:
        """Send a mail; returns once the server has accepted it. Raises SmtpError."""
        server = self._idle.pop() if self._idle else None
        if server is not None and server.is_connected:
            try:
                return await self._hand_over(server, mail)
            except SMTPServerDisconnected:  # while idle, which doesn't mean that the server is unavailable
                server.close()
            except (SMTPException, OSError, ValueError) as error:
                raise classify(error) from error
        server = await self._connect()
        try:
            await self._hand_over(server, mail)
        except (SMTPException, OSError, ValueError) as error:
            raise classify(error) from error

    async def _hand_over(self, server: SMTP, mail: EmailMessage) -> None:
        try:
            async with asyncio.timeout(self._total_timeout_s):
                await server.send_message(mail)
        except BaseException as error:
            if _is_answered(error):
                self._idle.append(server)
            else:  # the state of the connection is unknown: a later answer could pass for that to another mail
                server.close()
            raise
        self._idle.append(server)

    async def _connect(self) -> SMTP:
        server = SMTP(**smtp_options(self._settings, self._timeout_s))
        try:
            async with asyncio.timeout(self._total_timeout_s):
                await _greet(server)
        except (SMTPException, OSError, ValueError) as error:
            server.close()
            raise ServerUnavailable(_detail(error)) from error
        return server


async def _greet(server: SMTP) -> None:
    await server.connect()
    # Not with the mail: a server that doesn't even say hello is unavailable, whatever the mail is.
    if server.is_ehlo_or_helo_needed:
        try:
            await server.ehlo()
        except SMTPHeloError:  # an old server only knows HELO
            await server.helo()


def classify(error: Exception) -> SmtpError:
    """What an error of an established connection means for the mail.

    Where the server breaks off, is silent, or says what is no answer, the mail may be why, so it must delay no other.
    """
    detail = _detail(error)
    if isinstance(error, (SMTPConnectError, SMTPAuthenticationError, SMTPHeloError)) or CLOSING_CODE in _codes(error):
        return ServerUnavailable(detail)
    if isinstance(error, (SMTPNotSupported, ValueError)) or _is_permanent(error):
        return PermanentlyRefused(detail)
    return TemporarilyRefused(detail)


def _codes(error: BaseException) -> list[int]:
    """The codes of the server's answers that refuse the mail."""
    if isinstance(error, SMTPRecipientsRefused):
        return [refusal.code for refusal in error.recipients]
    return [error.code] if isinstance(error, SMTPResponseException) else []


def _is_permanent(error: Exception) -> bool:
    codes = _codes(error)
    return bool(codes) and all(code in PERMANENT_CODES for code in codes)


def _is_answered(error: BaseException) -> bool:
    """Whether the server has refused the mail in order, or was not asked, so that it takes another one."""
    if isinstance(error, (SMTPNotSupported, ValueError)):
        return True
    codes = _codes(error)
    return bool(codes) and all(code in TEMPORARY_CODES or code in PERMANENT_CODES for code in codes)


def _detail(error: Exception) -> str:
    """The error or the server's answer, without the addresses that servers repeat."""
    if isinstance(error, SMTPRecipientsRefused):
        answer = "; ".join(f"{refusal.code} {refusal.message}" for refusal in error.recipients)
    elif isinstance(error, SMTPResponseException):
        answer = f"{error.code} {error.message}"
    else:
        answer = str(error)
    return f"{type(error).__name__}: {_ADDRESS.sub('<address>', answer)}"[:DETAIL_MAX_CHARACTERS]

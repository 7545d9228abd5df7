"""The mails to the address that an account had, about the change of it: somebody else may be behind that."""

import logging
from contextlib import suppress
from typing import Final

from api.ports import Post
from api.problems import Refused, Unavailable

SUBJECT: Final = "The address of your account with Turnstile"
ASKED: Final = """\
Somebody, probably you, asked to give your account with Turnstile another address:

{email}

The account has it as soon as the code that was mailed there is entered. If it was not you, somebody knows your
password: change it now. That ends all sessions of the account, and the code is good for nothing.
"""
CHANGED: Final = """\
Your account with Turnstile has another address now:

{email}

Mails go there from now on, and signing in needs that address. If it was not you, tell whoever runs Turnstile.
"""

log = logging.getLogger(__name__)


def tell_asked(post: Post, old: str, new: str) -> None:
    """Before the code is mailed to ``new``. An address that takes no mail stops no change. Raises Unavailable."""
    with suppress(Refused):
        post(old, SUBJECT, ASKED.format(email=new))


def tell_changed(post: Post, old: str, new: str) -> None:
    """The address is changed by now, so a mail that can't be sent is only logged."""
    try:
        post(old, SUBJECT, CHANGED.format(email=new))
    except (Refused, Unavailable):
        log.warning("the old address of an account could not be told that it has a new one")

"""The roles of accounts, and what a request may need."""

from enum import Enum, StrEnum


class Role(StrEnum):
    """Every account is a buyer, an organizer has events, an administrator may act for any account."""

    BUYER = "buyer"
    ORGANIZER = "organizer"
    ADMINISTRATOR = "administrator"


class Permission(Enum):
    """The credentials that a request needs."""

    NOBODY = "no token is read"
    ANYONE = "no token, or a valid one"
    SIGNED_IN = "a token"
    ORGANIZER = "the token of an organizer or an administrator"
    ADMINISTRATOR = "the token of an administrator"

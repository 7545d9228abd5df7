"""The roles of accounts."""

from enum import StrEnum


class Role(StrEnum):
    """Every account is a buyer, an organizer has events, an administrator may act for any account."""

    BUYER = "buyer"
    ORGANIZER = "organizer"
    ADMINISTRATOR = "administrator"

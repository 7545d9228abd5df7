"""The roles of accounts."""

from enum import StrEnum


class Role(StrEnum):
    """What an account may do. Everyone is a buyer; an organizer has events; an administrator may act for anyone."""

    BUYER = "buyer"
    ORGANIZER = "organizer"
    ADMINISTRATOR = "administrator"

"""Accounts: whoever organizes events or buys tickets."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.bodies.fields import Birthday, Body, Email, LanguageTag, Name, NewPassword, Phone, Resource
from api.tokens import Role


class NewAccount(Body):
    """An account to be made.

    Whoever signs up gives a password. ``id`` and ``roles`` are for administrators: an id of the client's own
    lets it notice that it makes an account twice.
    """

    id: UUID | None = None
    roles: list[Role] | None = Field(None, max_length=3)
    password: NewPassword | None = Field(None, examples=["correct horse battery"])
    first_name: Name
    last_name: Name
    email: Email = Field(examples=["ada@lovelace.example"], json_schema_extra={"format": "email"})
    phone: Phone | None = None
    birth_date: Birthday | None = None
    locale: LanguageTag = "en"


class Account(Resource):
    """An account."""

    id: UUID
    first_name: str
    last_name: str
    email: str
    phone: str | None = None
    birth_date: Birthday | None = None
    locale: str
    roles: list[Role]
    version: int
    created_at: datetime
    updated_at: datetime


class SignUp(Resource):
    """A request for an account. The answer is the same whether the address had one before."""

    email: str


class AccountPath(Resource):
    """Which account."""

    account_id: UUID

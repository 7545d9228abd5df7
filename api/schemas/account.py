"""Accounts: whoever organizes events or buys tickets."""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from pydantic.config import JsonDict

from api.roles import Role
from api.schemas.fields import (
    Birthday,
    Body,
    Email,
    LanguageTag,
    Name,
    NewPassword,
    Phone,
    Resource,
    SomePassword,
    TypedEmail,
    absent,
)

ADDRESS: JsonDict = {"format": "email"}


class AccountBody(Body):
    """What an account says of its owner, but the address."""

    first_name: Name
    last_name: Name
    phone: Phone | None = None
    birth_date: Birthday | None = None
    locale: LanguageTag = "en"


class NewAccount(AccountBody):
    """An account to be made.

    Whoever signs up gives a password. ``id`` and ``roles`` are for administrators: an id of the client's own
    lets it notice that it makes an account twice.
    """

    id: UUID | None = None
    email: Email = Field(examples=["ada@lovelace.example"], json_schema_extra=ADDRESS)
    roles: list[Role] | None = Field(None, max_length=3)
    password: NewPassword | None = Field(None, examples=["correct horse battery"])


class AccountChange(Body):
    """What is to change of an account; what is left out stays, null empties what may be empty."""

    first_name: Name = absent()
    last_name: Name = absent()
    phone: Phone | None = None
    birth_date: Birthday | None = None
    locale: LanguageTag = absent()


class NewEmail(Body):
    """The address that an account is to have. The account's owner gives the present password too."""

    email: Email = Field(examples=["ada@lovelace.example"], json_schema_extra=ADDRESS)
    current_password: SomePassword | None = None


class PasswordChange(Body):
    """A new password. The account's owner gives the present one too; an administrator need not."""

    current_password: SomePassword | None = None
    new_password: NewPassword


class NewPasswordReset(Body):
    """The address of somebody who forgot their password."""

    email: TypedEmail = Field(examples=["ada@lovelace.example"], json_schema_extra=ADDRESS)


class ResetPassword(Body):
    """A new password, and the text of the link that was mailed for it."""

    link: str = Field(min_length=1, max_length=1_000)
    new_password: NewPassword


class RoleChange(Body):
    """All roles that an account is to have; everyone is a buyer."""

    roles: list[Role] = Field(max_length=3)


class Confirmation(Body):
    """The code from the mail that an address got, and the ``request`` that the code was asked for with."""

    code: str = Field(min_length=1, max_length=100)
    # Codes that were mailed before there were requests are good without one.
    request: str = Field("", max_length=100)


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


class AccountList(Resource):
    """One page of accounts, the newest first. ``next`` is absent on the last."""

    items: list[Account]
    next: str | None = None


class AccountEmail(Resource):
    """An account's address."""

    id: UUID
    email: str


class SignUp(Resource):
    """An address that is to be confirmed with the code it is sent. The answer is the same for every address.

    ``request`` is a secret of whoever asked: the code is good together with it alone.
    """

    email: str
    request: str


class PasswordResetAsked(Resource):
    """An address that a mail was sent to. The answer is the same for every address."""

    email: str


class AccountPath(Resource):
    """Which account."""

    account_id: UUID

"""Accounts of organizers and buyers."""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from pydantic.config import JsonDict

from api.roles import Role
from api.schemas.base import Body, OptionalBody, Resource
from api.schemas.fields import (
    Birthday,
    Email,
    FirstName,
    LanguageTag,
    LastName,
    NewPassword,
    Phone,
    SomePassword,
    TypedEmail,
    absent,
)

ADDRESS: JsonDict = {"format": "email"}


class AccountBody(Body):
    """An account's data except its address. Somebody with one name has no last name."""

    first_name: FirstName
    last_name: LastName = ""
    phone: Phone | None = None
    birth_date: Birthday | None = None
    locale: LanguageTag = "en"


class NewAccount(AccountBody):
    """An account to create.

    A sign-up needs a password. ``id`` and ``roles`` are for administrators; with an id of its own, a client can
    repeat the request without creating two accounts.
    """

    id: UUID | None = None
    email: Email = Field(examples=["ada@lovelace.example"], json_schema_extra=ADDRESS)
    roles: list[Role] | None = Field(None, max_length=3)
    password: NewPassword | None = Field(None, examples=["correct horse battery"])


class AccountChange(Body):
    """Changes of an account: a missing field stays as it is, null empties an optional one."""

    first_name: FirstName = absent()
    last_name: LastName = absent()
    phone: Phone | None = None
    birth_date: Birthday | None = None
    locale: LanguageTag = absent()


class NewEmail(Body):
    """The new address of an account. The account's owner must send the present password too."""

    email: Email = Field(examples=["ada@lovelace.example"], json_schema_extra=ADDRESS)
    current_password: SomePassword | None = None


class PasswordChange(Body):
    """A new password. The account's owner must send the present one too; an administrator need not."""

    current_password: SomePassword | None = None
    new_password: NewPassword


class AccountDeletion(OptionalBody):
    """The deletion of an account. The account's owner must send the present password."""

    current_password: SomePassword | None = None


class NewPasswordReset(Body):
    """The address of an account whose password was forgotten."""

    email: TypedEmail = Field(examples=["ada@lovelace.example"], json_schema_extra=ADDRESS)


class ResetPassword(Body):
    """A new password, and the text of the mailed link."""

    link: str = Field(min_length=1, max_length=1_000)
    new_password: NewPassword


class RoleChange(Body):
    """All roles of an account; every account is a buyer."""

    roles: list[Role] = Field(max_length=3)


class Confirmation(Body):
    """The code from a mail, and the ``request`` secret of the response that announced the mail."""

    code: str = Field(min_length=1, max_length=100)
    # Codes of the version before have no request.
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
    """An address to be confirmed by the mailed code. The response is the same for every address.

    ``request`` is a secret for the client: the code is valid only together with it.
    """

    email: str
    request: str


class PasswordResetAsked(Resource):
    """An address that a mail was sent to. The response is the same for every address."""

    email: str


class AccountPath(Resource):
    """Which account."""

    account_id: UUID

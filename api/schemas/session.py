"""Sessions: sign-in by address and password, and the token."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.roles import Role
from api.schemas.base import Body, Resource
from api.schemas.fields import SomeEmail, SomePassword


class NewSession(Body):
    """Address and password to sign in."""

    email: SomeEmail = Field(examples=["ada@lovelace.example"])
    password: SomePassword = Field(examples=["correct horse battery"])


class Session(Resource):
    """The account that is signed in, its roles, and when the token expires."""

    account_id: UUID
    roles: list[Role]
    expires_at: datetime


class SignedIn(Session):
    """A session with its token, which is sent as `Authorization: Bearer …`."""

    token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (the scheme, not a password)

"""Accounts: whoever organizes events or buys tickets."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.bodies.fields import Birthday, Body, Email, LanguageTag, Name, Phone, Resource


class NewAccount(Body):
    """An account to be made. ``id`` may be the client's own, so that making it twice is noticed."""

    id: UUID | None = None
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
    version: int
    created_at: datetime
    updated_at: datetime


class AccountPath(Resource):
    """Which account."""

    account_id: UUID

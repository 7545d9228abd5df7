"""``turnstile administrator``: creates the first administrator's account, unless its address has an account."""

import logging
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from api.adapters.postgres.accounts import AccountRows
from api.adapters.postgres.database import Database
from api.auth.common_passwords import weakness_of
from api.auth.passwords import Hasher
from api.problems import Refused, Unavailable
from api.roles import Role
from api.schemas.account import Account
from settings import WRONG_SETTINGS_EXIT_CODE, Settings, settings
from tables.text.email_addresses import address_spellings
from telemetry.logs import configure_logging

PASSWORD_MIN_CHARACTERS: Final = 10

log = logging.getLogger("api.administrator")


def make_administrator(accounts: AccountRows, hasher: Hasher, now: Settings) -> bool:
    """Whether the account was created now. Raises ValueError for a password that is short or easy to guess."""
    password = now.admin_password.get_secret_value() if now.admin_password else ""
    if len(password) < PASSWORD_MIN_CHARACTERS:
        raise ValueError(f"TURNSTILE_ADMIN_PASSWORD must have {PASSWORD_MIN_CHARACTERS} characters or more")
    if weakness := weakness_of(password, (now.admin_email,)):
        raise ValueError(f"TURNSTILE_ADMIN_PASSWORD {weakness}")
    at = datetime.now(UTC)
    account = Account(
        id=uuid4(),
        first_name="First",
        last_name="Administrator",
        email=address_spellings(now.admin_email)[1],
        locale="en",
        roles=[Role.BUYER, Role.ADMINISTRATOR],
        version=1,
        created_at=at,
        updated_at=at,
    )
    try:
        accounts.add(account, hasher.hash(password))
    except Refused:
        return False
    return True


def main() -> int:
    """Create the account and log whether it was created. The exit code is 2 where it could not be."""
    now = settings()
    configure_logging(now.log_level, now.log_format, "administrator")
    database = Database(now.database_url.get_secret_value())
    database.open()
    try:
        made = make_administrator(AccountRows(database), Hasher(), now)
    except (ValueError, Unavailable) as error:
        log.critical("%s", str(error))
        return WRONG_SETTINGS_EXIT_CODE
    finally:
        database.close()
    log.info("the first administrator's account %s", "was created" if made else "exists already and stays as it is")
    return 0

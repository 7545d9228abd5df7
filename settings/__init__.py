"""Every setting of the deployed parts, read once from the environment (prefix ``TURNSTILE_``).

A value may also come from a file with the setting's name in the folder ``TURNSTILE_SECRETS_DIR``, so that secrets need
not be in the environment.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final, Literal, NoReturn

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from settings.accounts import AccountSettings, MissingKey
from settings.api import ApiSettings
from settings.sales import SaleSettings
from settings.servers import ServerSettings
from settings.types import Url, readable, split
from settings.workers import ROLES, Role, WorkerSettings

__all__ = [
    "ROLES",
    "WRONG_SETTINGS_EXIT_CODE",
    "MissingKey",
    "Role",
    "Settings",
    "address_named",
    "exit_with",
    "faults_named",
    "name_misspelt",
    "settings",
    "split",
]

PREFIX: Final = "TURNSTILE_"
SECRETS_FOLDER: Final = f"{PREFIX}SECRETS_DIR"
# How alike the name of a setting is to one that was meant to be it, from 0 to 1: two names of ours are less so.
MISSPELT_RATIO: Final = 0.89
# The exit code of a process that does not start because of its settings.
WRONG_SETTINGS_EXIT_CODE: Final = 2


# The last of the bases has the first fields, and a field is checked after those before it.
class Settings(SaleSettings, AccountSettings, WorkerSettings, ApiSettings, ServerSettings, BaseSettings):
    """The addresses of the servers and the behaviour of the parts. docs/settings.md is generated from it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    supervisor_file: Path | None = Field(
        None,
        description="file where the embedded stack's supervisor writes the state of its parts, for `turnstile status`",
    )
    zipkin_url: Url | None = Field(
        None, description="address of Zipkin, such as http://127.0.0.1:9411; without it nothing is traced"
    )
    trace_ratio: float = Field(0.01, ge=0, le=1, description="share of the API's requests that are traced, from 0 to 1")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="lowest level that is logged: debug, info, warning or error"
    )
    log_format: Literal["json", "text"] = Field("json", description="format of log lines: json, or text for people")
    access_log: bool = Field(False, description="whether to log each request to the API")

    _is_readable = field_validator("*", mode="before")(readable)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave out files named .env, which nobody has: to look for each setting there takes as long as the rest."""
        return init_settings, env_settings, file_secret_settings

    @field_validator("link_key")
    @classmethod
    def _is_there_where_mails_are_made(cls, key: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if key is None and known.data.get("role") == "notifications":
            raise ValueError("the role notifications needs it, to sign the links in mails")
        return key


@cache
def settings() -> Settings:
    """The settings of this process. Exits with a line for each setting that is missing or invalid."""
    with faults_named():
        try:
            folder = _secrets_folder()
            files = [path.name for path in Path(folder).iterdir()] if folder else []
            name_misspelt(Settings.model_fields, [*os.environ, *files])
            return Settings(_secrets_dir=folder)
        except (SettingsError, OSError) as error:
            # Python's own words for a file that is not UTF-8 tell bytes of it.
            why = error.__cause__ if isinstance(error.__cause__, OSError) else "it is not UTF-8"
            exit_with(f"{SECRETS_FOLDER}: {error}" + (f": {why}" if error.__cause__ else ""))


@contextmanager
def faults_named() -> Iterator[None]:
    """Exit with a line for each invalid setting, without its value, which may be secret."""
    try:
        yield
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        exit_with(
            *(f"{PREFIX}{str(one['loc'][0]).upper()}: {one['msg'].removeprefix('Value error, ')}" for one in faults)
        )


def name_misspelt(fields: Iterable[str], given: Iterable[str]) -> None:
    """Print a line for each of the given names that is not the name of a setting, but almost."""
    known = [field.upper() for field in fields]
    names = {each.upper().removeprefix(PREFIX) for each in given if each.upper().startswith(PREFIX)}
    for name in sorted(names.difference(known)):
        for meant in get_close_matches(name, known, 1, MISSPELT_RATIO):
            print(f"{PREFIX}{name} is ignored: the setting is {PREFIX}{meant}", file=sys.stderr)


@contextmanager
def address_named(part: str) -> Iterator[None]:
    """Exit with a line where nothing can listen on the address of a part, ``API`` say."""
    try:
        yield
    except OSError as error:
        exit_with(f"{PREFIX}{part}_BIND, {PREFIX}{part}_PORT: {error.strerror}")


def exit_with(*lines: str) -> NoReturn:
    """Exit because of the settings. The lines say why."""
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(WRONG_SETTINGS_EXIT_CODE)


def _secrets_folder() -> str | None:
    folder = os.environ.get(SECRETS_FOLDER)
    if folder is not None and not Path(folder).is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    return folder

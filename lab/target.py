"""A running pipeline: its addresses, from the environment or else from the embedded stack."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api.auth.tokens import Tokens
from api.roles import Role
from connect.client_options import ClientOptions, client_options
from settings import Settings
from stack.environment import app_environment
from stack.settings import StackSettings

TOKEN_LIFETIME_S: Final = 3600
NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Target:
    """Addresses of a running pipeline. ``paper_key`` is None where Paper is not the provider of new payments."""

    api: str
    kafka: ClientOptions
    worker: str
    mails: str
    partitions: int
    token_keys: list[str]
    database: str = ""
    paper: str = ""
    paper_key: str | None = None

    def bearer(self, account: UUID | str, *roles: Role) -> dict[str, str]:
        """The header of a request by that account, made with the pipeline's own key.

        Signing thousands in would take minutes.
        """
        token, _ = Tokens(self.token_keys, TOKEN_LIFETIME_S).issue(UUID(str(account)), frozenset({Role.BUYER, *roles}))
        return {"Authorization": f"Bearer {token}"}

    def administrator(self) -> dict[str, str]:
        """The header of a request by an administrator."""
        return self.bearer(NOBODY, Role.ADMINISTRATOR)


def running_pipeline() -> Target:
    """The pipeline that ``make run`` started, or the one that TURNSTILE_ variables name."""
    stack = StackSettings.remembered()
    return target_of({**app_environment(stack), **os.environ}, stack.mail_port)


def target_of(environment: Mapping[str, str], mail_port: int) -> Target:
    """The pipeline whose deployed parts have this environment."""
    settings = settings_of(environment)
    return Target(
        api=f"http://{settings.api_bind}:{settings.api_port}",
        database=settings.database_url.get_secret_value(),
        kafka=client_options(settings),
        worker=settings.worker_urls[0],
        mails=f"http://127.0.0.1:{mail_port}/mails.json",
        partitions=settings.partitions,
        token_keys=settings.signing_keys(),
        paper=settings.paper_url.rstrip("/"),
        paper_key=_paper_key(settings),
    )


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that a deployed part reads from this environment."""
    prefix = "TURNSTILE_"
    values = {
        name.removeprefix(prefix).lower(): value for name, value in environment.items() if name.startswith(prefix)
    }
    return Settings(**values)  # type: ignore[arg-type]


def _paper_key(settings: Settings) -> str | None:
    """Paper's key where Paper is the provider of new payments."""
    is_paper = settings.paper_key is not None and settings.payment_provider == "paper"
    return settings.paper_key.get_secret_value() if settings.paper_key is not None and is_paper else None

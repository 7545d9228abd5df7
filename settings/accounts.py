"""Settings of accounts: the keys of tokens and links, and the limits on sign-ins."""

from pydantic import BaseModel, Field, SecretStr

from settings.types import Address, Key, Limit


class MissingKey(Exception):
    """A key that this part requires."""


class AccountSettings(BaseModel):
    """Tokens, sessions, links in mails, and sign-ins."""

    token_key: Key | None = Field(
        None, description="key that signs the API's tokens, at least 32 random characters; required by the API"
    )
    token_key_before: Key | None = Field(
        None, description="the previous key, while tokens signed with it are still valid"
    )
    link_key: Key | None = Field(
        None,
        validate_default=True,
        description="key that signs the links in mails, at least 32 random characters; "
        "required by the API and the role notifications",
    )
    link_key_before: Key | None = Field(
        None, description="the previous key, while links signed with it are still valid"
    )
    token_seconds: int = Field(900, ge=30, le=86400, description="lifetime of a token in seconds")
    session_seconds: int = Field(28_800, ge=30, le=86400, description="lifetime of a session on the pages in seconds")
    sign_in_limit: Limit = Field("1000 per minute", description="maximum rate of sign-ins by one client")
    sign_up_limit: Limit = Field(
        "300 per minute; 3000 per hour", description="maximum rate of mails with a code or a link for one client"
    )
    sign_in_tries: int = Field(
        3, ge=1, le=1_000_000, description="wrong passwords of a client for one account before it must wait"
    )
    sign_up_tries: int = Field(
        3, ge=1, le=1_000_000, description="mails with a code or a link to one address before its client must wait"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="number of proxies before the API whose X-Forwarded-For and -Proto are trusted"
    )
    admin_email: Address = Field(
        "admin@turnstile.example", description="address of the account that `turnstile administrator` creates"
    )
    admin_password: SecretStr | None = Field(
        None, description="that account's initial password, at least 10 characters"
    )

    def signing_keys(self) -> list[str]:
        """The keys of tokens; the first one signs. Raises MissingKey."""
        if self.token_key is None:
            raise MissingKey("the API does not start without TURNSTILE_TOKEN_KEY, the key that signs tokens")
        return _present(self.token_key, self.token_key_before)

    def link_keys(self) -> list[str]:
        """The keys of the links in mails; the first one signs. Raises MissingKey."""
        if self.link_key is None:
            raise MissingKey("the API does not start without TURNSTILE_LINK_KEY, the key of the links in mails")
        return _present(self.link_key, self.link_key_before)


def _present(*keys: SecretStr | None) -> list[str]:
    return [key.get_secret_value() for key in keys if key is not None]

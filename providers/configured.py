"""The providers that the settings name."""

from collections.abc import Mapping

from pydantic import SecretStr

from providers.paper import PaperProvider
from providers.port import Provider
from settings import Settings


def providers_of(settings: Settings) -> Mapping[str, Provider]:
    """The providers that have their keys, by name, that of new payments first; empty where nothing is paid online.

    One that has its keys still, but is not chosen any more, finishes the payments that it has.
    """
    site_url = settings.site_url.rstrip("/")
    found: list[Provider] = []
    if settings.paper_key is not None:
        found.append(PaperProvider(settings.paper_url, settings.paper_key.get_secret_value(), site_url))
    if settings.stripe_key is not None:
        found.append(_stripe(settings, settings.stripe_key, site_url))
    return {provider.name: provider for provider in sorted(found, key=lambda it: it.name != settings.payment_provider)}


def _stripe(settings: Settings, key: SecretStr, site_url: str) -> Provider:
    # Its library takes 30 MB, which nobody else pays for.
    from providers.stripe import StripeKeys, StripeProvider  # noqa: PLC0415

    secret = settings.stripe_webhook_key
    assert secret is not None
    return StripeProvider(
        StripeKeys(key.get_secret_value(), settings.stripe_page_key, secret.get_secret_value()), site_url
    )

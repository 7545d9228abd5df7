"""The providers that the settings name."""

from collections.abc import Mapping

from providers.paper import NAME as PAPER
from providers.paper import PaperProvider
from providers.port import Provider
from settings import Settings


def providers_of(settings: Settings) -> Mapping[str, Provider]:
    """The providers by name; empty where nothing is paid online."""
    if settings.paper_key is None:
        return {}
    return {
        PAPER: PaperProvider(settings.paper_url, settings.paper_key.get_secret_value(), settings.site_url.rstrip("/"))
    }

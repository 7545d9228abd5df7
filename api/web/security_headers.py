"""Values of security and caching headers; api/response_headers.py sets them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

NEVER_CACHED: Final = "private, no-store"
# The client may cache it and revalidates it by its ETag.
REVALIDATED: Final = "private, no-cache"
CACHED_AN_HOUR: Final = "public, max-age=3600"

# Nothing inline and nothing from elsewhere, so that an injected script is not run.
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The page with Stripe's fields alone: its script, its frames, its API. https://docs.stripe.com/security/guide
CARD_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self' https://js.stripe.com https://*.js.stripe.com; style-src 'self'; "
            "img-src 'self'; connect-src 'self' https://api.stripe.com; "
            "frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "Permissions-Policy": 'camera=(), geolocation=(), microphone=(), payment=(self "https://js.stripe.com")',
    }
)
DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"

DATA: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cache-Control": NEVER_CACHED,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": DATA_POLICY,
    }
)
PAGE: Final[Mapping[str, str]] = MappingProxyType(
    {
        **DATA,
        "Content-Security-Policy": PAGE_POLICY,
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    }
)

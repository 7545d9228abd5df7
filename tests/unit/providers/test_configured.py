"""Which providers there are, and which gets new payments, by the settings."""

from typing import Any, Final

import pytest
from pydantic import ValidationError

from providers.configured import providers_of
from settings import Settings

PAPER: Final = {"paper_key": "Pq3-" * 10 + "x7Kd_mZ0b1"}
STRIPE: Final = {"stripe_key": "sk_test_1", "stripe_page_key": "pk_test_1", "stripe_webhook_key": "whsec_1"}


def settings(**values: Any) -> Settings:
    return Settings(ticket_key="k" * 32, **values)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, []),
        (PAPER, ["paper"]),
        (STRIPE, ["stripe"]),
        (PAPER | STRIPE, ["paper", "stripe"]),
        (PAPER | STRIPE | {"payment_provider": "stripe"}, ["stripe", "paper"]),
    ],
)
def test_the_chosen_provider_is_the_first_and_others_with_a_key_go_on(values: dict[str, Any], names: list[str]) -> None:
    assert list(providers_of(settings(**values))) == names


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (PAPER | {"payment_provider": "stripe"}, "TURNSTILE_STRIPE_KEY"),
        (STRIPE | {"stripe_webhook_key": None}, "TURNSTILE_STRIPE_WEBHOOK_KEY"),
        (STRIPE | {"stripe_page_key": ""}, "TURNSTILE_STRIPE_PAGE_KEY"),
    ],
)
def test_stripe_without_all_of_its_keys_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**values)

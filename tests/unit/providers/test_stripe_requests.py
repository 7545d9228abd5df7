"""Stripe's published OpenAPI description allows the requests that are sent: stripe-mock checks them."""

import asyncio
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from lab.free_ports import free
from providers.port import ProviderUnavailable
from providers.stripe import StripeKeys, StripeProvider
from providers.stripe_objects import StripeBalance, StripeCharge
from tables.messages.payment_requests import PaymentRequestKind
from tests.eventually import eventually
from tests.golang import program
from tests.unit.providers.test_stripe import KEYS, request

R = PaymentRequestKind


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    [port] = free(1)
    log = tmp_path_factory.mktemp("stripe-mock") / "log"
    with log.open("wb") as file:
        argv = (program("stripe-mock"), "-http-addr", f"127.0.0.1:{port}")
        mock = subprocess.Popen(argv, stdout=file, stderr=file)
    try:
        found = f"http://127.0.0.1:{port}"
        eventually(lambda: _answers(found), within=30)
        yield found
    finally:
        mock.terminate()
        mock.wait(10)


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, retries=False).status > 0
    except urllib3.exceptions.HTTPError:
        return False


@pytest.mark.parametrize(
    ("kind", "more"), [(R.AUTHORIZE, {"reference": ""}), (R.CAPTURE, {}), (R.VOID, {}), (R.REFUND, {})]
)
def test_each_request_is_one_that_stripe_knows(url: str, kind: PaymentRequestKind, more: dict[str, Any]) -> None:
    provider = StripeProvider(KEYS, "http://shop.example", url)
    assert all(event.kind != "failed" for event in asyncio.run(provider.carry_out(request(kind, **more))))
    assert provider.page_fields("pi_1") is not None


def test_a_request_that_stripe_does_not_know_is_noticed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.stripe._CHARGE", {"expands": ["latest_charge"]})
    provider = StripeProvider(StripeKeys("sk_test_1", "", ""), "", url)
    with pytest.raises(ProviderUnavailable, match="InvalidRequestError"):
        asyncio.run(provider.carry_out(request(R.CAPTURE)))


def test_stripe_gives_the_fee_with_a_payment_that_is_asked_for(url: str) -> None:
    found = StripeProvider(KEYS, "http://shop.example", url)._retrieve("pi_1").latest_charge
    assert isinstance(found, StripeCharge)
    assert isinstance(found.balance_transaction, StripeBalance)

"""An answer that Kafka Connect did not write is told as one, and nothing is concluded from it."""

from collections.abc import Callable

import httpx
import pytest

from connect.connectors.rest_client import ConnectClient, ConnectUnavailable
from connect.errors import ConnectorRefused

JSON = {"content-type": "application/json"}
# Status, further headers and body.
STRANGE = {
    "a redirection to a sign-in": (302, {"location": "/sign-in"}, b""),
    "an empty answer": (200, JSON, b""),
    "a cut answer": (200, JSON, b'{"turnstile-events": {"sta'),
    "another shape": (200, JSON, b'{"turnstile-events": [1]}'),
    "null": (200, JSON, b"null"),
    "not UTF-8": (200, JSON, b'{"turnstile-events": "\xff"}'),
    "a proxy's refusal": (401, JSON, b'{"message": "who are you?"}'),
    "no gzip": (200, JSON | {"content-encoding": "gzip"}, b"rubbish"),
}


@pytest.mark.parametrize(
    "ask",
    [
        ConnectClient.names,
        ConnectClient.states,
        lambda client: client.state("turnstile-events"),
        lambda client: client.config("turnstile-events"),
        lambda client: client.has_read("turnstile-events"),
    ],
)
@pytest.mark.parametrize(("status", "headers", "body"), STRANGE.values(), ids=STRANGE)
def test_what_kafka_connect_did_not_write_is_no_answer(
    ask: Callable[[ConnectClient], object], status: int, headers: dict[str, str], body: bytes
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    client = ConnectClient("http://connect", httpx.MockTransport(answer))
    with pytest.raises(ConnectUnavailable, match=r"^http://connect: "):
        ask(client)


@pytest.mark.parametrize(
    "order", [ConnectClient.pause, ConnectClient.resume, ConnectClient.restart, ConnectClient.stop]
)
@pytest.mark.parametrize("status", [404, 401, 302])
def test_an_order_that_is_not_carried_out_is_told_with_the_reason(
    order: Callable[[ConnectClient, str], None], status: int
) -> None:
    refuse = httpx.MockTransport(lambda _: httpx.Response(status, json={"message": "not here"}))
    with pytest.raises(ConnectorRefused, match=f"^connector turnstile-events: {order.__name__} is refused: not here$"):
        order(ConnectClient("http://connect", refuse), "turnstile-events")

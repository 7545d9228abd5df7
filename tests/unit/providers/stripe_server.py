"""A server that gives the answers of a test, in Stripe's shapes, and keeps what it was asked."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

Json = dict[str, Any]
EVENT, PURCHASE = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
METADATA = {"event": EVENT, "purchase": PURCHASE}


def intent(status: str, **more: Any) -> Json:
    """A PaymentIntent of 49.90 EUR."""
    fields = {"id": "pi_1", "object": "payment_intent", "amount": 4990, "currency": "eur", "metadata": METADATA}
    return fields | {"status": status, "client_secret": "pi_1_secret_x", "latest_charge": None} | more


def charge(refunded: int) -> Json:
    """Its charge."""
    fields = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "currency": "eur", "metadata": METADATA}
    return fields | {"amount_refunded": refunded}


def refunds(*requests: str) -> Json:
    """The refunds that were made for those requests of ours."""
    made = [{"id": "re_1", "object": "refund", "metadata": {"request": request}} for request in requests]
    return {"object": "list", "data": made, "has_more": False, "url": "/v1/refunds"}


def problem(kind: str, code: str) -> Json:
    """An error."""
    return {"error": {"type": kind, "code": code, "message": "something internal"}}


class StripeServer:
    """``answers`` are given in turn, the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Json | bytes]] = []
        self.asked: list[tuple[str, str, dict[str, list[str]], str]] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                asked = (self.command, self.path.partition("?")[0], parse_qs(body))
                server.asked.append((*asked, self.headers.get("Idempotency-Key") or ""))
                status, answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def serve(self) -> None:
        """Answer until ``close``."""
        self._server.serve_forever(poll_interval=0.01)

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def running_stripe() -> Iterator[StripeServer]:
    """A server in a thread."""
    server = StripeServer()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(10)

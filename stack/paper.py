"""Paper, a provider of payments that moves no money: ``python -m stack.paper``.

Its arguments: FOLDER BIND PORT URL WEBHOOKS KEY_FILE MODE. Programs use ``/payments`` with the key as a bearer token;
buyers pay at ``/pay/<reference>``; ``/`` and ``/books.json`` show the books. Notices go to WEBHOOKS, signed with the
key, until they are taken. In the mode ``hostile``, which ``PUT /mode`` sets too, they are repeated, delayed (and so
reordered), dropped, forged, and some lie about the amount.
"""

import asyncio
import hmac
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import uvloop
from aiohttp import ClientError, ClientSession, ClientTimeout, web

from stack.paper_books import PAYABLE, SHOWN_MAX, Answer, PaperBooks, Row
from stack.paper_pages import CHOICES, DISPUTE, LATER_CHOICES, PAGE_POLICY, books_page, pay_page
from telemetry.signals import stop_on_signals

HONEST: Final = "honest"
HOSTILE: Final = "hostile"
MODES: Final = (HONEST, HOSTILE)
DELAY_S: Final = 60.0
SEND_INTERVAL_S: Final = 0.05
SEND_TIMEOUT_S: Final = 5.0
RETRY_FIRST_S: Final = 1.0
RETRY_MAX_S: Final = 300.0
BODY_MAX_BYTES: Final = 16 * 1024
# The share of notices, in the mode ``hostile``.
DROPPED, REPEATED, DELAYED, FORGED, LYING = 0.1, 0.3, 0.3, 0.05, 0.05
HOSTILE_DELAY_MAX_S: Final = 20.0


class Paper:
    """The provider: its books, and what it tells the shop."""

    def __init__(
        self, books: PaperBooks, key: bytes, *, hostile: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self.books = books
        self._key = key
        self.mode = HOSTILE if hostile else HONEST
        self._clock = clock
        self._random = random.Random(0)

    def may_use(self, authorization: str) -> bool:
        """Whether a request has the key."""
        return hmac.compare_digest(authorization.encode(), b"Bearer " + self._key)

    def carry_out(self, kind: str, shop_id: str, request: str, asked: Row) -> Answer:
        """Carry out a request of the shop, and send a notice about it."""
        does: Mapping[str, Callable[[], Answer]] = {
            "authorize": lambda: self.books.authorize(asked),
            "capture": lambda: self.books.capture(shop_id, asked),
            "void": lambda: self.books.void(shop_id, asked),
            "refund": lambda: self.books.refund(shop_id, asked),
        }
        status, body = self.books.carry_out(request, does[kind])
        told = {"capture": "captured", "void": "voided", "refund": "refunded"}.get(kind)
        if status == 200 and told is not None:
            self.tell(told, body, request)
        return status, body

    def choose(self, reference: str, choice: str) -> Row | None:
        """What a buyer chose on the page. The payment afterwards; None if it can't be paid, or not be disputed."""
        if choice == DISPUTE:
            return self._dispute(reference)
        payment = self.books.pay(reference, approve=choice != "decline")
        if payment is not None and choice != "lose":
            self.tell(payment["state"], payment, delay_s=DELAY_S if choice == "delay" else 0.0)
        return payment

    def _dispute(self, reference: str) -> Row | None:
        payment = self.books.by_reference(reference)
        if payment is None or not payment["captured"]:
            return None
        self.tell("disputed", payment)
        return payment

    def tell(self, kind: str, payment: Row, request: str | None = None, delay_s: float = 0.0) -> None:
        """Put a notice into the books; in the mode ``hostile`` perhaps twice, later, or not at all."""
        body = {"id": f"notice_{uuid4().hex}", "kind": kind, "payment": payment, "request": request}
        if self.mode != HOSTILE:
            self.books.add_notice(json.dumps(body), self._clock() + delay_s)
            return
        if self._chance(DROPPED):
            return
        if self._chance(LYING):
            body["payment"] = payment | {"amount": payment["amount"] + 1}
        for _ in range(2 if self._chance(REPEATED) else 1):
            later_s = self._random.uniform(0, HOSTILE_DELAY_MAX_S) if self._chance(DELAYED) else 0.0
            self.books.add_notice(json.dumps(body), self._clock() + delay_s + later_s)

    def sign(self, body: bytes) -> str:
        """The signature of a notice; sometimes a forged one, in the mode ``hostile``."""
        at = int(self._clock())
        key = b"nobody's" if self.mode == HOSTILE and self._chance(FORGED) else self._key
        return f"t={at},v1={hmac.new(key, b'%d.' % at + body, sha256).hexdigest()}"

    async def send_due(self, send: Callable[[bytes, str], Awaitable[bool]]) -> None:
        """Send the notices that are due, at once. Those that are not taken come again at growing pauses."""
        now = self._clock()

        async def send_one(notice: Row) -> None:
            body = notice["body"].encode()
            if await send(body, self.sign(body)):
                self.books.sent(notice["id"])
            else:
                pause_s = min(RETRY_FIRST_S * 2.0 ** min(notice["tries"], 10), RETRY_MAX_S)
                self.books.postpone(notice["id"], now + pause_s)

        await asyncio.gather(*(send_one(notice) for notice in self.books.due_notices(now)))

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def make_application(paper: Paper) -> web.Application:
    """The web application."""

    async def tell(request: web.Request) -> web.Response:
        _check_key(paper, request)
        found = paper.books.payment(request.match_info["id"])
        return web.json_response(found or {"error": "there is no such payment"}, status=200 if found else 404)

    async def show_books(request: web.Request) -> web.Response:
        return _html(books_page(paper.books.payments(SHOWN_MAX)))

    async def tell_books(request: web.Request) -> web.Response:
        return web.json_response(paper.books.payments())

    async def show_payment(request: web.Request) -> web.Response:
        found = _of_reference(paper, request)
        return _html(pay_page(found, _choices(found)))

    async def choose(request: web.Request) -> web.Response:
        found, choice = _of_reference(paper, request), str((await request.post()).get("choice", ""))
        if choice not in CHOICES | LATER_CHOICES:
            raise web.HTTPBadRequest
        paper.choose(found["reference"], choice)
        raise web.HTTPSeeOther(found["return_url"] or request.path)

    application = web.Application(client_max_size=BODY_MAX_BYTES)
    application.add_routes(
        [
            web.post("/payments", partial(_carry_out, paper)),
            web.get("/payments/{id}", tell),
            web.post("/payments/{id}/{kind:capture|void|refund}", partial(_carry_out, paper)),
            web.get("/", show_books),
            web.get("/books.json", tell_books),
            web.put("/mode", partial(_set_mode, paper)),
            web.get("/pay/{reference}", show_payment),
            web.post("/pay/{reference}", choose),
        ]
    )
    return application


async def _carry_out(paper: Paper, request: web.Request) -> web.Response:
    _check_key(paper, request)
    kind, shop_id = request.match_info.get("kind", "authorize"), request.match_info.get("id", "")
    try:
        asked = await request.json()
        status, body = paper.carry_out(kind, shop_id, request.headers["Idempotency-Key"], asked)
    except (ValueError, KeyError, TypeError):
        return web.json_response({"error": "the request is malformed"}, status=400)
    return web.json_response(body, status=status)


async def _set_mode(paper: Paper, request: web.Request) -> web.Response:
    _check_key(paper, request)
    before, mode = paper.mode, await request.text()
    if mode not in MODES:
        return web.json_response({"error": f"the mode is none of {', '.join(MODES)}"}, status=400)
    paper.mode = mode
    return web.json_response({"before": before})


def _check_key(paper: Paper, request: web.Request) -> None:
    if not paper.may_use(request.headers.get("Authorization", "")):
        raise web.HTTPUnauthorized


def _of_reference(paper: Paper, request: web.Request) -> Row:
    found = paper.books.by_reference(request.match_info["reference"])
    if found is None:
        raise web.HTTPNotFound
    return found


def _choices(payment: Row) -> Mapping[str, str]:
    if payment["state"] in PAYABLE:
        return CHOICES
    return LATER_CHOICES if payment["captured"] else {}


def _html(page: str) -> web.Response:
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=page, content_type="text/html", headers=headers)


async def _send_forever(paper: Paper, url: str) -> None:
    async with ClientSession(timeout=ClientTimeout(total=SEND_TIMEOUT_S)) as client:

        async def send(body: bytes, signature: str) -> bool:
            headers: dict[str, Any] = {"Content-Type": "application/json", "Paper-Signature": signature}
            try:
                async with client.post(url, data=body, headers=headers) as answer:
                    return answer.status == 200
            except (ClientError, TimeoutError):
                return False

        while True:
            await paper.send_due(send)
            await asyncio.sleep(SEND_INTERVAL_S)


async def serve(paper: Paper, bind: str, port: int, webhooks: str) -> None:
    """Serve and send until a signal comes."""
    stopping = asyncio.Event()
    stop_on_signals(lambda *_: stopping.set())
    runner = web.AppRunner(make_application(paper), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, bind, port, shutdown_timeout=1).start()
    sending = asyncio.create_task(_send_forever(paper, webhooks))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({sending, stopped}, return_when=asyncio.FIRST_COMPLETED)
    await runner.cleanup()
    if sending.done():
        sending.result()
    sending.cancel()


def main() -> None:
    """Run Paper."""
    folder, bind, port, url, webhooks, key_file, mode = sys.argv[1:8]
    books = PaperBooks(Path(folder) / "payments.sqlite", url)
    paper = Paper(books, Path(key_file).read_text().strip().encode(), hostile=mode == HOSTILE)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(paper, bind, int(port), webhooks))
    finally:
        books.close()


if __name__ == "__main__":
    main()

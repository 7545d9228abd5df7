"""The web views of the ledger's workers: any of them answers for all, so the next is asked where one can't."""

from collections.abc import Sequence
from itertools import cycle, islice

import httpx


class AnyWorker(httpx.BaseTransport):
    """Sends a request to the worker that answered last, and to the others in turn where it doesn't or can't answer."""

    def __init__(self, urls: Sequence[str], transport: httpx.BaseTransport | None = None) -> None:
        self._urls = [httpx.URL(url) for url in urls]
        self._transport = transport or httpx.HTTPTransport(trust_env=False)
        self._last = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The first answer that is not 503; else what the last one said or raised."""
        turns = list(islice(cycle(range(len(self._urls))), self._last, self._last + len(self._urls)))
        for turn in turns[:-1]:
            try:
                answer = self._ask(turn, request)
            except httpx.TransportError:
                continue
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                self._last = turn
                return answer
            answer.close()
        return self._ask(turns[-1], request)

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def _ask(self, turn: int, request: httpx.Request) -> httpx.Response:
        url = self._urls[turn]
        request.url = request.url.copy_with(scheme=url.scheme, host=url.host, port=url.port)
        return self._transport.handle_request(request)


def worker_client(urls: Sequence[str], timeout: httpx.Timeout) -> httpx.Client:
    """A client of the workers at ``urls``."""
    return httpx.Client(base_url=urls[0], timeout=timeout, trust_env=False, transport=AnyWorker(urls))

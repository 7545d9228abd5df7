"""Each client that blocks gives up an answer that comes byte by byte, and goes on with the next one."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import requests
from elastic_transport import ConnectionTimeout, TlsError

import api.adapters.elasticsearch
import api.adapters.ledger.worker_views
import ops.search_health
import providers.http
import stack.member
import telemetry.zipkin
from api.adapters.elasticsearch import EventIndex
from api.adapters.ledger.worker_views import WorkerViews
from api.problems import Unavailable
from api.web.wsgi_threads import THREADS_MAX
from connect.connectors.rest_client import ConnectClient, ConnectUnavailable
from connect.elasticsearch_client import elasticsearch_client
from ops.certificate import self_signed
from ops.search_health import SearchSource
from providers.http import RetryingClient
from providers.port import ProviderUnavailable
from settings import Settings
from telemetry.call_deadlines import TimedTransport, call_within
from tests.unit.slow_server import ENDLESS, SlowServer

TIMEOUT_S = 0.3
KEY = "0" * 32


@pytest.fixture(params=list(ENDLESS.values()), ids=list(ENDLESS))
def slow(request: pytest.FixtureRequest) -> Iterator[SlowServer]:
    server = SlowServer(*request.param)
    yield server
    server.close()


def by_settings(url: str) -> Settings:
    return Settings(ticket_key=KEY, elasticsearch_url=url, worker_url=url)


CLIENTS: dict[str, Callable[[str], object]] = {
    "search": lambda url: EventIndex(api.adapters.elasticsearch.make_client(by_settings(url))).probe(),
    "workers' views": lambda url: WorkerViews(by_settings(url)).probe(),
    "connectors": lambda url: ConnectClient(url, timeout=TIMEOUT_S).names(),
    "health of the search": lambda url: list(SearchSource(by_settings(url)).look()),
    "servers of the stack": lambda url: stack.member.get(url, TIMEOUT_S),
}
ERRORS = (Unavailable, ConnectUnavailable, httpx.TransportError, requests.RequestException)


@pytest.mark.parametrize("ask", CLIENTS.values(), ids=list(CLIENTS))
def test_a_call_ends_in_time_though_pieces_of_the_answer_come(
    ask: Callable[[str], object], slow: SlowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.adapters.elasticsearch, "TIMEOUT_S", TIMEOUT_S)
    monkeypatch.setattr(api.adapters.ledger.worker_views, "TIMEOUT", httpx.Timeout(TIMEOUT_S))
    monkeypatch.setattr(ops.search_health, "TIMEOUT_S", TIMEOUT_S)
    began_s = time.monotonic()
    with pytest.raises(ERRORS):
        ask(slow.url)
    assert time.monotonic() - began_s < 2


def test_spans_are_dropped_in_time(slow: SlowServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry.zipkin, "TIMEOUT_S", TIMEOUT_S)
    began_s = time.monotonic()
    assert telemetry.zipkin.make_exporter(slow.url).export([]).name == "FAILURE"
    assert time.monotonic() - began_s < 2


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate with its key, which every client of this process trusts."""
    file = tmp_path / "certificate.pem"
    file.write_text(self_signed())
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


def by_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def get_by_httpx(url: str, ca: Path) -> str:
    with httpx.Client(timeout=TIMEOUT_S, transport=TimedTransport(ssl.create_default_context(cafile=ca))) as client:
        return client.get(url).text


def get_by_urllib3(url: str, _: Path) -> str:
    return RetryingClient(TIMEOUT_S).send("GET", url, None, {}).body.decode()


def ask_elasticsearch(url: str, ca: Path) -> str:
    settings = Settings(ticket_key=KEY, elasticsearch_url=url, elasticsearch_ca=ca)
    return str(elasticsearch_client(settings, TIMEOUT_S).info())


BY_TLS: dict[str, Callable[[str, Path], str]] = {
    "httpx": get_by_httpx,
    "urllib3": get_by_urllib3,
    "Elasticsearch": ask_elasticsearch,
}


@pytest.mark.parametrize("get", BY_TLS.values(), ids=list(BY_TLS))
@pytest.mark.parametrize("answer", ENDLESS.values(), ids=list(ENDLESS))
def test_a_call_by_tls_ends_in_time_though_pieces_of_the_answer_come(
    get: Callable[[str, Path], str],
    answer: tuple[bytes, bytes, float],
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(providers.http, "RETRY_FIRST_S", 5.0)  # one try
    server = SlowServer(*answer, by_tls(certificate))
    began_s = time.monotonic()
    with pytest.raises((httpx.ReadTimeout, ProviderUnavailable, ConnectionTimeout)):
        get(server.url, certificate)
    assert time.monotonic() - began_s < 2
    assert server.answered == 1
    assert server.sent > 1
    server.close()


class Answering(BaseHTTPRequestHandler):
    """Answers at once, and keeps the connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


def test_a_connection_is_used_again_by_a_later_call_and_without_a_deadline() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        with httpx.Client(timeout=TIMEOUT_S, transport=TimedTransport(ssl.create_default_context())) as client:
            assert client.get(url).text == "ok"
            time.sleep(2 * TIMEOUT_S)
            assert client.get(url).text == "ok"
            assert client.get(url, timeout=None).text == "ok"
            with call_within(0.0):  # of another call
                assert client.get(url).text == "ok"
        server.shutdown()


@contextmanager
def answering(certificate: Path) -> Iterator[str]:
    """The URL of a server that answers by TLS."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        server.socket = by_tls(certificate).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("get", [get_by_httpx, get_by_urllib3])
def test_an_answer_by_tls_is_read(get: Callable[[str, Path], str], certificate: Path) -> None:
    with answering(certificate) as url:
        assert get(url, certificate) == "ok"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_another_certificate_than_a_pinned_one_of_elasticsearch_is_refused(certificate: Path) -> None:
    """The client's own class of connections is replaced; its pool, which compares fingerprints, is not."""
    with answering(certificate) as url:
        client = elasticsearch_client(by_settings(url), 5.0, ssl_assert_fingerprint="0" * 64)
        with pytest.raises(TlsError) as refused:
            client.info()
    assert "Fingerprints did not match" in repr(refused.value)


class Crowded(ThreadingHTTPServer):
    """Answers no call before all threads of the API are asking."""

    request_queue_size = THREADS_MAX
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Together)
        self.all_here = threading.Barrier(THREADS_MAX)


class Together(Answering):
    def do_GET(self) -> None:
        assert isinstance(self.server, Crowded)
        self.server.all_here.wait(5)
        super().do_GET()


def test_all_threads_of_the_api_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.adapters.ledger.worker_views, "TIMEOUT", httpx.Timeout(10))
    with Crowded() as server, ThreadPoolExecutor(THREADS_MAX) as threads:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        views = WorkerViews(by_settings(f"http://127.0.0.1:{server.server_port}"))
        for asked in [threads.submit(views.probe) for _ in range(THREADS_MAX)]:
            asked.result()
        views.close()
        server.shutdown()

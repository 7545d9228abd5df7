"""The proxy (HAProxy) with the configuration of docker-compose.yml, on free ports."""

import re
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from lab.free_ports import free
from ops.secrets import make_secrets
from stack.member import HOST
from tests.debian import program
from tests.eventually import eventually

CONFIGURATION: Final = Path(__file__).parents[1] / "ops" / "haproxy" / "haproxy.cfg"
WITHIN_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: its ports without TLS and with it."""

    plain: int
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://{HOST}:{self.port}"

    def client(self) -> httpx.Client:
        """A client that connects through it without checking its certificate."""
        return httpx.Client(base_url=self.url, verify=False, trust_env=False, timeout=30)  # noqa: S501

    def connect(self) -> ssl.SSLSocket:
        """A raw connection."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection((HOST, self.port), timeout=WITHIN_S))

    def is_ready(self) -> bool:
        """Whether it accepts a client and an instance answers."""
        with warnings.catch_warnings():
            # Python leaves a socket open whose peer has gone before its handshake.
            warnings.simplefilter("ignore", ResourceWarning)
            try:
                with self.connect() as client:
                    client.sendall(b"GET /health/live HTTP/1.1\r\nHost: box.example\r\nConnection: close\r\n\r\n")
                    return client.recv(100).startswith(b"HTTP/1.1 200 ")
            except OSError:
                return False


@contextmanager
def running(folder: Path, instances: Sequence[int]) -> Iterator[Proxy]:
    """The proxy in front of these ports, with all times divided by ten."""
    make_secrets(folder)
    plain, port, inside = free(3)
    servers = "\n    ".join(f"server {number} {HOST}:{number} check inter 200ms fall 1" for number in instances)
    text = CONFIGURATION.read_text().replace("/run/secrets", str(folder)).replace(" 10s", " 1s")
    for of, here in ((8080, plain), (8443, port), (8404, inside)):
        text = text.replace(f"bind :{of}", f"bind {HOST}:{here}")
    (folder / "haproxy.cfg").write_text(re.sub(r"server-template .*", servers, text))
    command = (*program("haproxy"), "-db", "-f", str(folder / "haproxy.cfg"))
    process = subprocess.Popen(command, env={"ACME_THUMBPRINT": "print"})
    try:
        proxy = Proxy(plain, port)
        eventually(proxy.is_ready, within=WITHIN_S)
        yield proxy
    finally:
        process.kill()
        process.wait()

"""The jars of the embedded servers: each named in a lock file with its sha256, fetched from Maven Central once.

``python -m stack jars`` writes the lock files again from ``roots.toml``.
"""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from stack.errors import JarsIncomplete

MAVEN_CENTRAL_URL = "https://repo.maven.apache.org/maven2"
LOCKS = Path(__file__).parent
ENVIRONMENTS = ("kafka", "debezium", "elasticsearch", "jmx")
OPTIONAL = ("zipkin", "examples", "jdbc-sink")
DOWNLOAD_TRIES_MAX = 3


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked jar."""

    group: str
    artifact: str
    version: str
    sha256: str
    classifier: str = ""

    @property
    def name(self) -> str:
        """The jar's file name."""
        kind = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{kind}.jar"

    @property
    def url(self) -> str:
        """Where Maven Central has it."""
        return f"{MAVEN_CENTRAL_URL}/{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.name}"


def locked(environment: str) -> list[Jar]:
    """The jars of one environment, in class path order."""
    lines = (LOCKS / f"{environment}.lock").read_text().splitlines()
    return [_parse(line) for line in lines if line and not line.startswith("#")]


def _parse(line: str) -> Jar:
    coordinate, sha256 = line.split()
    group, artifact, version, *classifier = coordinate.split(":")
    return Jar(group, artifact, version, sha256, *classifier)


def missing(cache: Path, jars: Iterable[Jar]) -> list[Jar]:
    """The jars that the cache lacks or holds with another content."""
    with ThreadPoolExecutor(4) as pool:
        unique = list({jar.name: jar for jar in jars}.values())
        good = pool.map(lambda jar: _is(cache / jar.name, jar.sha256), unique)
        return [jar for jar, is_good in zip(unique, good, strict=True) if not is_good]


def _is(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except FileNotFoundError:
        return False


def fetch(cache: Path, jars: Iterable[Jar]) -> int:
    """Download what the cache lacks, several at a time; the number of jars downloaded."""
    wanted = missing(cache, jars)
    if wanted:
        cache.mkdir(parents=True, exist_ok=True)
        limits = httpx.Limits(max_connections=8)
        with httpx.Client(timeout=60, follow_redirects=True, limits=limits) as client, ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda jar: _download(client, cache, jar), wanted))
    return len(wanted)


def _download(client: httpx.Client, cache: Path, jar: Jar) -> None:
    content = _get(client, jar)
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise JarsIncomplete(f"{jar.name}: sha256 is {found}, the lock file says {jar.sha256}")
    partial = cache / f".{jar.name}.{found[:8]}"
    partial.write_bytes(content)
    partial.replace(cache / jar.name)


def _get(client: httpx.Client, jar: Jar) -> bytes:
    failure = ""
    for _ in range(DOWNLOAD_TRIES_MAX):
        try:
            response = client.get(jar.url)
            response.raise_for_status()
            return response.content
        except httpx.HTTPStatusError as error:
            failure = f"answer {error.response.status_code}"
        except httpx.TransportError as error:
            failure = str(error) or type(error).__name__
    raise JarsIncomplete(f"{jar.name} can't be downloaded from Maven Central: {failure}")

"""Lock files of jars, and a cache that is checked."""

import hashlib
from pathlib import Path

import httpx
import pytest

from stack import jars
from stack.errors import JarsIncomplete
from stack.jars import Jar

CONTENT = b"PK\x03\x04 not really"
JAR = Jar("org.example", "thing", "1.0", hashlib.sha256(CONTENT).hexdigest())


@pytest.mark.parametrize("environment", jars.ENVIRONMENTS)
def test_every_locked_jar_has_a_checksum_and_no_address(environment: str) -> None:
    found = jars.locked(environment)
    assert len(found) > 10 or environment == "jmx"
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in found)
    assert "://" not in (jars.LOCKS / f"{environment}.lock").read_text()


def test_zipkin_is_one_jar_that_is_whole_in_itself() -> None:
    [jar] = jars.locked("zipkin")
    assert jar.name == "zipkin-server-3.6.1-exec.jar"
    assert jar.url.endswith("/io/zipkin/zipkin-server/3.6.1/zipkin-server-3.6.1-exec.jar")


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ("kafka", "kafka_2.13-4.3.1.jar"),
        ("kafka", "connect-runtime-4.3.1.jar"),
        ("debezium", "debezium-connector-postgres-3.7.0.Final.jar"),
        ("elasticsearch", "elasticsearch-8.19.9.jar"),
        ("elasticsearch", "transport-netty4-8.19.9.jar"),
    ],
)
def test_the_servers_are_the_promised_versions(environment: str, name: str) -> None:
    assert name in [jar.name for jar in jars.locked(environment)]


def test_no_two_jars_share_a_name_with_another_content() -> None:
    names: dict[str, str] = {}
    for jar in (jar for environment in jars.ENVIRONMENTS for jar in jars.locked(environment)):
        assert names.setdefault(jar.name, jar.sha256) == jar.sha256


def test_a_jar_with_another_content_is_missing(tmp_path: Path) -> None:
    assert jars.missing(tmp_path, [JAR]) == [JAR]
    (tmp_path / JAR.name).write_bytes(CONTENT)
    assert jars.missing(tmp_path, [JAR]) == []
    (tmp_path / JAR.name).write_bytes(CONTENT[:-1])
    assert jars.missing(tmp_path, [JAR]) == [JAR]


def served(monkeypatch: pytest.MonkeyPatch, status: int, content: bytes) -> list[str]:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(status, content=content)

    make = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **_: make(transport=httpx.MockTransport(answer)))
    return asked


def test_a_missing_jar_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = served(monkeypatch, 200, CONTENT)
    assert jars.fetch(tmp_path, [JAR, JAR]) == 1
    assert jars.fetch(tmp_path, [JAR]) == 0
    assert [url.endswith("/org/example/thing/1.0/thing-1.0.jar") for url in asked] == [True]
    assert [path.name for path in tmp_path.iterdir()] == [JAR.name]


def test_a_jar_that_is_not_the_locked_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served(monkeypatch, 200, b"something else")
    with pytest.raises(JarsIncomplete, match=r"thing-1\.0\.jar: sha256 is"):
        jars.fetch(tmp_path, [JAR])
    assert list(tmp_path.iterdir()) == []


def test_a_jar_that_cannot_be_had_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = served(monkeypatch, 503, b"")
    with pytest.raises(JarsIncomplete, match=r"thing-1\.0\.jar can't be downloaded from Maven Central: answer 503"):
        jars.fetch(tmp_path, [JAR])
    assert len(asked) == jars.DOWNLOAD_TRIES_MAX

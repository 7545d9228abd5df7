"""The programs in ``examples/``: short, locked without addresses, with the versions that their tests run."""

import json
import re

import pytest

from stack import jars
from tests.toolchains import EXAMPLES, PROGRAMS, lacks_registry_or_version

LINES_MAX = 100
SOURCES = ("go/main.go", "java/Tickets.java", "node/tickets.mjs", "python/tickets.py")
MANIFESTS = ("go/go.mod", "go/go.sum", "node/package-lock.json", "node/package.json", "python/requirements.txt")


@pytest.mark.parametrize("source", SOURCES)
def test_an_example_is_short(source: str) -> None:
    assert len((EXAMPLES / source).read_text().splitlines()) < LINES_MAX


def test_every_example_is_built_and_run_by_a_test() -> None:
    assert {source.partition("/")[0] for source in SOURCES} == set(PROGRAMS)
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} == {*PROGRAMS, "sink"}


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_no_manifest_names_the_host_of_a_registry(manifest: str) -> None:
    text = (EXAMPLES / manifest).read_text()
    assert '"resolved"' not in text
    assert "registry" not in text


def test_the_sink_on_the_page_is_the_one_that_its_test_runs() -> None:
    [shown] = re.findall(r"```json\n(.+?)```", (EXAMPLES.parent / "docs" / "kafka.md").read_text(), re.DOTALL)
    assert json.loads(shown) == json.loads((EXAMPLES / "sink" / "purchases.json").read_text())["config"]


def test_the_java_client_is_that_of_the_locked_jars() -> None:
    wanted = re.findall(
        r"<artifactId>([\w-]+)</artifactId>\s*<version>([\d.]+)</version>", (EXAMPLES / "java" / "pom.xml").read_text()
    )
    locked = {jar.artifact: jar.version for jar in jars.locked("kafka")}
    assert dict(wanted)["kafka-clients"] == locked["kafka-clients"]


@pytest.mark.parametrize(
    "said",
    [
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)': /confluent-kafka/",
        "npm error code EAI_AGAIN\nnpm error syscall getaddrinfo",
        "npm error code E503\nnpm error 503 Service Unavailable - GET",
        "npm error code EBADENGINE\nnpm error engine Unsupported engine",
        'main.go:19:2: github.com/google/uuid@v1.6.0: Get "https://example": dial tcp: lookup example: no such host',
        "go: github.com/google/uuid@v1.6.0: reading https://example: 502 Bad Gateway",
        "go: go.mod requires go >= 1.26.0 (running go 1.22.1; GOTOOLCHAIN=local)",
        "ecj-3.43.0.jar can't be downloaded from Maven Central: answer 503",
    ],
)
def test_a_build_without_network_or_with_an_old_toolchain_is_skipped(said: str) -> None:
    assert lacks_registry_or_version(said)


@pytest.mark.parametrize(
    "said",
    [
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
        "ERROR: No matching distribution found for confluent-kafka==99.0",
        "npm error code EUSAGE\nnpm error `npm ci` can only install packages when package.json and lock are in sync",
        "npm error code EINTEGRITY",
        "npm error code E404",
        "./main.go:90:2: undefined: buy",
        "verifying github.com/google/uuid@v1.6.0: checksum mismatch",
        "ecj-3.43.0.jar: sha256 is 00, the lock file says 11",
        "1. ERROR in Tickets.java (at line 5): The import org.apache.kafka cannot be resolved",
    ],
)
def test_any_other_failure_of_a_build_fails_the_test(said: str) -> None:
    assert not lacks_registry_or_version(said)

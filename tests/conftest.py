"""The embedded stack, started once per run, on ports and in a folder of its own.

What starts servers is imported where it is used: unit tests are collected sooner without.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from lab.trial_stack import TrialStack
    from tests.pipeline import Pipeline

# The time of an example depends on the load of the machine.
settings.register_profile("turnstile", deadline=None)
settings.load_profile("turnstile")

HERE = Path(__file__).parent
WITH_OWN_SERVERS = (f"{HERE / 'chaos'}/", f"{HERE / 'integration' / 'stack'}/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that start servers of their own before the shared stack is up: it takes a part of the machine.

    Otherwise their order stays as it is, which is random.
    """
    items.sort(key=lambda item: not str(item.path).startswith(WITH_OWN_SERVERS))


@pytest.fixture(scope="session", autouse=True)
def one_java_compiler() -> Iterator[None]:
    """Start Java without its second compiler, which in the minutes of a test costs more than it saves.

    Until its connectors flow, a stack takes two thirds of the CPU time that it takes with it.
    """
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
        yield


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator["TrialStack"]:
    """Servers, tables, topics, connectors and the API; no worker has run yet."""
    from lab.trial_stack import TrialStack
    from stack.member import HOST

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TURNSTILE_LOG_FORMAT", "json")
        stack = TrialStack.on_free_ports(tmp_path_factory.mktemp("turnstile"), workers=2)
        # All tests share one address.
        environment.setenv("TURNSTILE_SIGN_IN_LIMIT", "10000 per minute")
        environment.setenv("TURNSTILE_SIGN_UP_LIMIT", "10000 per minute")
        environment.setenv("TURNSTILE_SIGN_IN_TRIES", "10000")
        environment.setenv("TURNSTILE_SIGN_UP_TRIES", "10000")
        # Only the tests of traces listen there; no request is traced by default.
        environment.setenv("TURNSTILE_ZIPKIN_URL", f"http://{HOST}:{stack.settings.zipkin_port}")
        environment.setenv("TURNSTILE_TRACE_RATIO", "0")
        environment.setenv("TURNSTILE_MAIL_RETRY_SECONDS", "3")
        try:
            stack.start()
            do_without_fsync(stack)
            stack.start("migrations", "administrator", "connectors", "api")
            yield stack
        finally:
            stack.remove()


def do_without_fsync(stack: "TrialStack") -> None:
    """Let PostgreSQL leave it to the system when to write to the disk: a process that is killed loses nothing by that.

    Otherwise the end of each scratch database waits for the disk for up to a second.
    """
    import psycopg

    from stack.postgres import SUPERUSER, Postgres

    with psycopg.connect(Postgres(stack.settings).url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def early_event(stack: "TrialStack") -> tuple[str, str]:
    """An event and its ticket type, made before any worker ever ran."""
    from tests.pipeline import Pipeline

    early = Pipeline(stack)
    try:
        event = early.new_event()
        return event, early.ticket_type(event, 3)
    finally:
        early.close()


@pytest.fixture(scope="session")
def pipeline(stack: "TrialStack", early_event: tuple[str, str]) -> Iterator["Pipeline"]:
    """The pipeline with one worker of each role; tests that want the second start and stop it themselves."""
    from tests.pipeline import WORKERS, Pipeline

    assert early_event
    stack.start(*WORKERS)
    pipeline = Pipeline(stack)
    yield pipeline
    pipeline.close()


@pytest.fixture(autouse=True)
def no_worker_ends(request: pytest.FixtureRequest) -> Iterator[None]:
    """A worker that ends by itself fails the test that it is seen after, with the last of its log, and starts again."""
    yield
    if "pipeline" in request.fixturenames:
        assert request.getfixturevalue("pipeline").start_again() == []

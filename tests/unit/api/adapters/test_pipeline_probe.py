"""Asking the parts of a pipeline of which nothing is there; and dead letters, which are not read again for nothing."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from aiosmtplib import SMTPException

from api.adapters.pipeline_probe import DEAD_LETTERS_MAX_READ, PipelineProbe, greet
from api.problems import Unavailable
from connect.observe.lag import LogState
from connect.topics import CONSUMERS, dead_letters
from lab.free_ports import free
from settings import Settings
from tests.unit.greeting_server import greeting_for_ever


class Gone:
    """A server that is not there, as the API's clients tell it."""

    def transaction(self) -> Any:
        raise Unavailable("postgres")

    def count(self) -> int:
        raise Unavailable("elasticsearch")

    def probe(self) -> None:
        raise Unavailable("worker")


@pytest.fixture
def sources() -> Iterator[PipelineProbe]:
    kafka, connect, smtp = free(3)
    settings = Settings(
        kafka_servers=f"127.0.0.1:{kafka}",
        connect_url=f"http://127.0.0.1:{connect}",
        smtp_port=smtp,
        ticket_key="k" * 40,
    )
    gone: Any = Gone()
    with closing(PipelineProbe(settings, gone, gone, gone)) as sources:
        yield sources


def test_a_part_that_does_not_answer_is_told_and_nothing_is_raised(sources: PipelineProbe) -> None:
    found = sources.state()
    assert (found.log, found.database, found.connectors, found.documents, found.dead_letters) == (None,) * 5
    assert found.differing is None
    assert (found.mail, found.ledger) == (False, False)
    assert sources.rows([]) == []


def state(**ends: int) -> LogState:
    return LogState(
        dict.fromkeys(map(dead_letters, CONSUMERS), 0) | {dead_letters(name): n for name, n in ends.items()}, {}
    )


def test_dead_letters_are_read_again_only_when_there_is_something_new(
    sources: PipelineProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def open_letters() -> dict[str, int]:
        read.append(1)
        return {"mailer": 1}

    monkeypatch.setattr(sources._dead_letters, "open", open_letters)
    for found in (state(mailer=1), state(mailer=1), state(mailer=2)):
        assert sources._open_dead_letters(found) == {"mailer": 1}
    assert len(read) == 2


def test_very_many_dead_letters_are_not_read_for_a_figure(
    sources: PipelineProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources._dead_letters, "open", lambda: pytest.fail("they were read"))
    assert sources._open_dead_letters(state(mailer=DEAD_LETTERS_MAX_READ + 1))["mailer"] == DEAD_LETTERS_MAX_READ + 1


def test_a_mail_server_that_greets_byte_by_byte_does_not_hold_up_the_others() -> None:
    async def run() -> None:
        async with greeting_for_ever() as port:
            with pytest.raises((TimeoutError, SMTPException)):
                await asyncio.wait_for(greet("127.0.0.1", port, 0.3), 3)

    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 2

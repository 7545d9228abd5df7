"""What an event and a purchase were at earlier offsets of the real log: the commands, and the views with ``asOf``."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from tables.messages.commands import Buy, Command, Confirm, Hold, TicketLine, encode_command
from tests.e2e.test_operating import turnstile
from tests.eventually import eventually
from tests.pipeline import Pipeline

HELD, REFUSED, BOUGHT = uuid4(), uuid4(), uuid4()


def view(pipeline: Pipeline, path: str, as_of: int) -> httpx.Response:
    return httpx.get(f"{pipeline.worker}/api/{path}/", params={"asOf": str(as_of)}, trust_env=False, timeout=20)


def told(pipeline: Pipeline, *arguments: str) -> Any:
    done = turnstile(pipeline, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def figures(event: Any) -> tuple[int, int]:
    [stock] = event["ticketTypes"]
    return stock["held"], stock["sold"]


def test_earlier_moments_are_told_by_the_commands_and_the_views(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(3)
    account = UUID(pipeline.account())

    def send(command: Command) -> int:
        return pipeline.send(event, encode_command(command))

    def lines(quantity: int) -> list[TicketLine]:
        return [TicketLine(UUID(kind), quantity)]

    held = send(Hold(UUID(event), HELD, account, lines(2), 600))
    refused = send(Buy(UUID(event), REFUSED, account, lines(2)))
    confirmed = send(Confirm(UUID(event), HELD, account))
    bought = send(Buy(UUID(event), BOUGHT, account, lines(1)))
    eventually(lambda: figures(pipeline.view(event)) == (0, 3), within=30)
    due = {held: (2, 0), refused: (2, 0), confirmed: (0, 2), bought: (0, 3)}

    for offset, stock in due.items():
        shown = view(pipeline, f"event/{event}", offset).json()
        assert (figures(shown), shown["asOf"]["offset"]) == (stock, offset)
    purchase = f"purchase/{event}/{HELD}"
    assert view(pipeline, purchase, refused).json()["status"] == "held"
    assert view(pipeline, purchase, bought).json()["status"] == "confirmed"
    assert view(pipeline, purchase, held - 1).status_code == 404

    # The commands read what the ledger has acknowledged, which it does once a second.
    eventually(lambda: figures(told(pipeline, "event", event)) == (0, 3), within=30)
    assert figures(told(pipeline, "event", event, "--as-of", str(refused))) == due[refused]
    [step] = told(pipeline, "why", str(REFUSED))["steps"]
    assert (step["outcome"], step["reason"], step["figures"]["requested"]) == ("rejected", "sold-out", 2)
    assert figures(step["stock"]) == (2, 0)

    made = [Path(line) for line in turnstile(pipeline, "ledger", "snapshot").stdout.split()]
    try:
        assert all(path.is_dir() for path in made)
        last = send(Buy(UUID(event), uuid4(), account, lines(1)))
        eventually(lambda: pipeline.view(event)["offset"] == last, within=30)
        shown = view(pipeline, f"event/{event}", last).json()
        assert (figures(shown), shown["asOf"]["offset"]) == ((0, 3), last)
        assert figures(told(pipeline, "event", event, "--as-of", str(bought))) == (0, 3)
    finally:
        for path in made:
            for file in path.iterdir():
                file.unlink()
            path.rmdir()

"""The operator's command on the running pipeline."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connect.topics import COMMANDS
from tests.eventually import eventually
from tests.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
PAUSED = "turnstile-account"


def turnstile(pipeline: Pipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "ops", *arguments)
    environment = {**os.environ, **pipeline.stack.environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def status(pipeline: Pipeline) -> tuple[int, dict[str, Any]]:
    done = turnstile(pipeline, "status", "--json")
    return done.returncode, {part["name"]: part for part in json.loads(done.stdout)["parts"]}


def all_up(pipeline: Pipeline) -> dict[str, Any] | None:
    code, parts = status(pipeline)
    down = {name: part["text"] for name, part in parts.items() if part["state"] == "down"}
    assert (code, down) == (0, {})
    return parts


def sell(pipeline: Pipeline) -> str:
    event, [kind] = pipeline.event(2)
    buyer = pipeline.account()
    assert pipeline.buy(event, kind, 1, buyer).status_code == 201
    assert pipeline.buy(event, kind, 2, buyer).status_code == 409
    return event


@contextmanager
def foreign_definition(pipeline: Pipeline) -> Iterator[str]:
    """An event that a foreign producer redefines: version and price are its own. It sells nothing afterwards."""
    event, _ = pipeline.event(2)
    outbox = "SELECT payload::text FROM event_outbox WHERE aggregate_id = %s"
    [known] = (json.loads(text) for [text] in pipeline.rows(outbox, event))
    known["definition"]["ticketTypes"][0] |= {"price": "0.01", "quantity": 500}
    pipeline.send(event, json.dumps(known | {"kind": "define-event", "version": 2**62 - 1}).encode())
    eventually(lambda: pipeline.view(event)["ticketTypes"][0]["quantity"] == 500, within=20)
    try:
        yield event
    finally:
        known["definition"]["status"] = "CANCELED"
        pipeline.send(event, json.dumps(known | {"kind": "define-event", "version": 2**62}).encode())
        assert pipeline.http.delete(f"/events/{event}").status_code == 204


def test_status_tells_of_every_part_and_of_one_that_is_down(pipeline: Pipeline) -> None:
    parts = eventually(lambda: all_up(pipeline), within=60) or {}
    servers = {"kafka", "postgres", "connect", "elasticsearch", "api", "mail", "dead letters"}
    roles = {"ledger", "indexer", "notifications", "sales", "gate", "payments"}
    assert servers | roles | {"ledger-0", "slot turnstile_event", "connector turnstile-event"} <= parts.keys()
    assert (parts["ledger-0"]["decides"].keys(), parts["ledger"]["workers"]) == (set("0123"), 1)

    pipeline.stack.stop("smtp")
    try:
        code, parts = status(pipeline)
        assert (code, parts["mail"]["state"], parts["kafka"]["state"]) == (1, "down", "ok")
    finally:
        pipeline.stack.start("smtp")


def test_holds_of_an_account_are_seen_and_ended_and_what_it_bought_is_not(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(30)
    account = pipeline.account()
    lines = [{"ticketTypeId": kind, "quantity": 10}]
    body = {"eventId": event, "lines": lines, "hold": True}
    with pipeline.client(account) as buyer:
        held, bought = [
            buyer.post("/purchases", json=body, headers={"Idempotency-Key": key}).json()["id"] for key in ("a", "b")
        ]
        assert buyer.post(f"/purchases/{bought}/confirm").status_code == 200

        def listed() -> list[Any]:
            rows = turnstile(pipeline, "holds", "list", "--event", event, "--json").stdout.splitlines()
            return [(one["account"], one["holds"], one["tickets"]) for one in map(json.loads, rows)]

        eventually(lambda: listed() == [(account, 1, 10)], within=30)
        done = turnstile(pipeline, "holds", "end", event, "--account", account, "--reason", "holds everything")
        assert (done.returncode, done.stdout) == (0, "1 holds of 1 accounts with 10 tickets are ended\n")
        ended = eventually(lambda: _expired(buyer.get(f"/purchases/{held}").json()), within=20)
        assert ended["reason"] == "hold-ended"
        assert buyer.get(f"/purchases/{bought}").json()["status"] == "confirmed"
    said = [json.loads(line) for line in turnstile(pipeline, "actions", "--json").stdout.splitlines()]
    assert {"event": event, "account": account, "keep": 0, "holds": 1} in [one["details"] for one in said]
    assert turnstile(pipeline, "holds", "end", event, "--keep", "20", "--reason", "nobody").returncode == 1


def _expired(purchase: dict[str, Any]) -> dict[str, Any] | None:
    return purchase if purchase["status"] == "expired" else None


def test_verify_and_replay_find_what_was_sold_as_it_was_decided_and_topics_where_it_lies(pipeline: Pipeline) -> None:
    event = sell(pipeline)
    with foreign_definition(pipeline) as foreign:
        verdict = json.loads(turnstile(pipeline, "verify", "--json").stdout)
    # Other tests leave events that are in one place alone.
    others = [it for it in verdict["findings"] if not it.startswith(("promise 5", "promise 9")) or event in it]
    [told] = [it for it in verdict["findings"] if foreign in it and it.startswith("promise 9")]
    assert (others, "version" in told, "price: PostgreSQL says 10.50, the ledger 0.01" in told) == ([], True, True)
    assert "quantity: PostgreSQL says 2, the ledger 500" in told
    assert (verdict["events"] >= 1, verdict["purchases"] >= 2) == (True, True)

    done = turnstile(pipeline, "replay", "--json")
    assert [one["different"] for one in json.loads(done.stdout)] == [[]] * 4
    assert sum(one["commands"] for one in json.loads(done.stdout)) >= 3

    topics = {topic["name"]: topic for topic in json.loads(turnstile(pipeline, "topics", "--json").stdout)}
    commands = topics[COMMANDS]
    assert (commands["partitions"], commands["replicas"], commands["out_of_sync"]) == (4, 1, 0)
    assert (commands["records"] >= 3, commands["bytes"] > 500, set(commands["lags"])) == (True, True, {"ledger"})


def test_a_connector_is_paused_and_goes_on(pipeline: Pipeline) -> None:
    def states() -> list[str]:
        told = json.loads(turnstile(pipeline, "connectors", "list", "--json").stdout)
        return sorted(set(told[PAUSED]["states"]))

    assert turnstile(pipeline, "connectors", "pause", PAUSED).returncode == 0
    try:
        eventually(lambda: states() == ["PAUSED"], within=30)
    finally:
        assert turnstile(pipeline, "connectors", "resume", PAUSED).returncode == 0
    eventually(lambda: states() == ["RUNNING"], within=30)
    unknown = turnstile(pipeline, "connectors", "restart", "elsewhere")
    assert (unknown.returncode, "is none of" in unknown.stderr) == (2, True)

"""What fails is told in the logs of the parts, line by line, with the record and without anybody's data."""

import json
from typing import Any
from uuid import uuid4

import httpx

from connect.topics import ACCOUNT_ROWS, COMMANDS, DELIVERIES, EVENT_ROWS, EVENT_STATUS, JOBS, OUTCOMES, RESENDS
from tests.eventually import eventually
from tests.instance import Instance
from tests.pipeline import Pipeline

PARTS = ("ledger-0", "indexer-0", "notifications-0", "sales-0", "api", "connectors", "migrations", "administrator")
TOPICS = (COMMANDS, EVENT_STATUS, OUTCOMES, JOBS, RESENDS, DELIVERIES, ACCOUNT_ROWS, EVENT_ROWS)
DEAD = ("ledger", "catalogue", "sales", "notifications", "mailer", "resends", "deliveries", "contacts", "indexer")


def log_of(pipeline: Pipeline, part: str) -> str:
    return (pipeline.stack.settings.home / "logs" / f"{part}.log").read_text()


def lines(pipeline: Pipeline, part: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log_of(pipeline, part).splitlines()]


def test_what_fails_is_told_with_its_record_and_without_anybodys_data(pipeline: Pipeline) -> None:
    mark = uuid4().hex
    address, name, password = f"{mark}@poison.example", f"Ada{mark} Byron", f"secret{mark}"
    key = str(uuid4())
    values = [
        json.dumps({"kind": name, "email": address, "id": name, "password": password}).encode(),
        f'{{"email": "{address}", "name": "{name}'.encode() + b'\xff"}',
    ]
    sent = {
        topic: [pipeline.producer.send(topic, key=key.encode(), value=value, partition=0).get(30) for value in values]
        for topic in TOPICS
    }
    token = pipeline.bearer(key)["Authorization"].removeprefix("Bearer ")
    body = {"email": address, "password": password, "firstName": name, "lastName": name, "locale": "en"}
    for path in ("/sessions", "/accounts", "/purchases", "/events", "/addresses"):
        headers = {"Authorization": f"Bearer {token}x", "Idempotency-Key": key}
        httpx.post(f"{pipeline.api}/api/v3{path}?q={mark}", json=body, headers=headers, trust_env=False)

    def all_told() -> bool:
        told = {line.get("record") for part in PARTS for line in lines(pipeline, part)}
        missing = {f"{topic}[0]@{place.offset}" for topic, places in sent.items() for place in places} - told
        assert not missing
        return True

    assert eventually(all_told, within=40, pause=0.5)
    for part in PARTS:
        log = log_of(pipeline, part)
        assert mark not in log, [line for line in log.splitlines() if mark in line]
        assert token not in log
    dead = [line for part in PARTS for line in lines(pipeline, part) if line["message"].startswith("a dead letter of")]
    ours = [line for line in dead if line.get("key") == key]
    assert {line["message"].removeprefix("a dead letter of ") for line in ours} == set(DEAD)
    assert {line["reason"] for line in ours} <= {"MalformedRecord", "MalformedCommand"}


def test_every_request_may_be_told_without_its_query(pipeline: Pipeline) -> None:
    mark = uuid4().hex
    log = pipeline.stack.settings.home / "logs" / f"accesses-{mark}.log"
    more = {"TURNSTILE_ACCESS_LOG": "true", "TURNSTILE_LOG_FORMAT": "json"}
    with log.open("wb") as output, Instance(pipeline.stack, more=more, output=output) as instance:
        httpx.get(f"{instance.url}/events/search?q={mark}", headers=pipeline.bearer(mark[:32]), trust_env=False)
    told = [json.loads(line) for line in log.read_text().splitlines()]
    searches = [line for line in told if line.get("path") == "/api/v3/events/search"]
    assert [(line["method"], line["status"]) for line in searches] == [("GET", 200)]
    assert mark not in log.read_text().replace(log.name, "")

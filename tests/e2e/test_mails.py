"""Mails on the real pipeline: holds, changes told to everybody, poison, dead letters, erasure."""

import json
import os
import subprocess
import sys
from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from connect.partitioning import partition_of
from connect.topics import (
    ACCOUNT_ROWS,
    COMMANDS,
    DELIVERIES,
    EVENT_STATUS,
    JOBS,
    OUTCOMES,
    RESENDS,
    all_topics,
    changelog,
    dead_letters,
)
from streams.mail.bookings import MAILS_AT_ONCE
from streams.mail.mailer import BATCH_MAX_RECORDS
from tables.messages.commands import Buy, Cancel, Confirm, Hold, TicketLine, encode_command
from tables.messages.dead_letters import DeadLetterInfo, Origin, encode_info
from tables.messages.outcomes import OutcomeKind, decode_outcome, encode_outcome
from tests.eventually import eventually
from tests.pipeline import PARTITIONS, Pipeline

EMPTIED = {
    "cleanup.policy": "compact",
    "segment.ms": "500",
    "min.cleanable.dirty.ratio": "0.01",
    "max.compaction.lag.ms": "500",
    "delete.retention.ms": "100",
}


def buyers(pipeline: Pipeline, count: int) -> list[UUID]:
    return [UUID(pipeline.account()) for _ in range(count)]


def order(pipeline: Pipeline, event: str, kind: str, accounts: list[UUID], each: int = 1) -> list[UUID]:
    purchases = []
    for account in accounts:
        for _ in range(each):
            purchases.append(uuid4())
            command = Buy(UUID(event), purchases[-1], account, [TicketLine(UUID(kind), 1)])
            pipeline.producer.send(COMMANDS, key=event.encode(), value=encode_command(command))
    pipeline.producer.flush()
    return purchases


def subjects(pipeline: Pipeline, title: str) -> list[str]:
    return sorted(mail["subject"].removesuffix(title) for mail in pipeline.mails(title))


def test_a_hold_is_mailed_reminded_of_and_ended_unless_it_was_confirmed(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    title = pipeline.title(event)
    left, kept = buyers(pipeline, 2)
    # A reminder must not stand behind what other tests have mailed: these show that nothing is left of that.
    order(pipeline, event, kind, [left, kept])
    eventually(lambda: len(pipeline.mails(title)) == 2, within=60)
    for account, seconds in ((left, 10), (kept, 11)):
        hold = Hold(UUID(event), account, account, [TicketLine(UUID(kind), 1)], seconds=seconds)
        pipeline.send(event, encode_command(hold))
    pipeline.send(event, encode_command(Confirm(UUID(event), kept, kept)))

    wanted = sorted(
        [
            *["Held for you: "] * 2,
            *["Your ticket for "] * 3,
            "Your hold ends soon: ",
            "Your hold has expired: ",
        ]
    )
    eventually(lambda: len(subjects(pipeline, title)) >= len(wanted), within=60, pause=0.3)
    assert subjects(pipeline, title) == wanted


def test_a_change_is_told_to_every_holder_though_the_worker_is_killed(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(600)
    accounts = buyers(pipeline, 10)
    purchases = order(pipeline, event, kind, accounts, each=60)
    given_back = purchases[:3]
    for purchase in given_back:
        pipeline.send(event, encode_command(Cancel(UUID(event), purchase, accounts[0])))
    before = pipeline.title(event)
    told = len(purchases) + len(given_back)
    eventually(lambda: len(pipeline.mails(before)) >= told, within=60, pause=0.5)

    assert pipeline.http.patch(f"/events/{event}", json={"venue": "Another hall"}).is_success
    eventually(lambda: any("Changed" in subject for subject in subjects(pipeline, before)), within=60)
    pipeline.stack.kill("notifications-0")
    pipeline.stack.start("notifications-0")

    def changed() -> list[str]:
        return [mail["message_id"] for mail in pipeline.mails(before) if mail["subject"].startswith("Changed")]

    holders = len(purchases) - len(given_back)
    eventually(lambda: len(set(changed())) >= holders, within=60, pause=0.5)
    assert len(set(changed())) == holders
    # What was being asked for and what was being sent at the kill goes out twice, as the same mail.
    assert len(changed()) <= holders + MAILS_AT_ONCE + BATCH_MAX_RECORDS


def test_what_was_mailed_of_a_purchase_is_listed_and_sent_again_on_request(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    account = pipeline.account()
    bought = pipeline.buy(event, kind, 2, account).json()
    client, path = pipeline.client(account), f"/purchases/{bought['id']}/notifications"

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client.get(path).json()["items"]
        return found

    [sent] = eventually(listed, within=60)
    assert (sent["kind"], sent["status"]) == ("confirmed", "sent")
    asked = client.post(path)
    assert (asked.status_code, asked.json()["status"]) == (202, "requested")
    eventually(lambda: [mail["status"] for mail in listed()] == ["sent", "sent"], within=60)
    mails = pipeline.mails(pipeline.title(event))
    assert {mail["message_id"].strip("<>").partition("@")[0] for mail in mails} == {sent["id"], asked.json()["id"]}
    assert pipeline.client(pipeline.account()).get(path).status_code == 404
    client.close()


POISON = {
    "catalogue": EVENT_STATUS,
    "contacts": ACCOUNT_ROWS,
    "notifications": OUTCOMES,
    "sales": OUTCOMES,
    "resends": RESENDS,
    "mailer": JOBS,
    "deliveries": DELIVERIES,
}


def test_poison_on_any_topic_delays_nobody_and_can_be_looked_at(pipeline: Pipeline) -> None:
    word = uuid4().hex
    event, [kind] = pipeline.event(5)
    account = pipeline.account()
    for topic in set(POISON.values()):
        for partition in range(PARTITIONS):
            value, headers = f'{{"{word}'.encode(), [("id", word.encode())]
            pipeline.producer.send(topic, key=word.encode(), value=value, partition=partition, headers=headers)
    pipeline.producer.flush()

    order(pipeline, event, kind, [UUID(account)])
    eventually(lambda: pipeline.mails(pipeline.title(event)), within=60)
    eventually(lambda: pipeline.rows("SELECT 1 FROM purchase WHERE event_id = %s", event), within=30)
    for consumer in POISON:
        letters = [each for each in pipeline.dead_letters(consumer) if each.key == word.encode()]
        assert len(letters) == PARTITIONS, consumer

    [first, *_] = [each for each in pipeline.dead_letters("mailer") if each.key == word.encode()]
    name = f"mailer:{first.partition}:{first.offset}"
    assert name in dlq(pipeline, "list", "mailer", "--json")
    assert f'{{"{word}' in json.loads(dlq(pipeline, "show", name))["value"]
    open_letters = json.loads(dlq(pipeline, "count", "--json"))["mailer"]
    assert dlq(pipeline, "discard", name).split() == [name, "discarded"]
    assert json.loads(dlq(pipeline, "count", "--json"))["mailer"] == open_letters - 1


def dlq(pipeline: Pipeline, *arguments: str) -> str:
    """What the command line prints."""
    environment = os.environ | dict(pipeline.stack.environment)
    done = subprocess.run(
        (sys.executable, "-m", "ops", "dlq", *arguments), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_replayed_command_is_decided_by_the_usual_path(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    purchase = uuid4()
    command = encode_command(Buy(UUID(event), purchase, UUID(pipeline.account()), [TicketLine(UUID(kind), 1)]))
    partition = partition_of(event.encode(), PARTITIONS)
    origin = {"dlq-topic": COMMANDS, "dlq-partition": str(partition), "dlq-offset": "0", "dlq-error": "of old"}
    headers = [("trace", b"x"), *((name, value.encode()) for name, value in origin.items())]
    buried = pipeline.producer.send(
        dead_letters("ledger"), key=event.encode(), value=command, headers=headers, partition=partition
    ).get(30)
    name = f"ledger:{buried.partition}:{buried.offset}"

    assert dlq(pipeline, "replay", name).split() == [name, "replayed"]

    def decided() -> list[OutcomeKind]:
        return [one.kind for one in pipeline.outcomes(event) if one.purchase == purchase]

    assert eventually(decided, within=20, pause=0.3) == [OutcomeKind.CONFIRMED]
    assert name not in dlq(pipeline, "list", "ledger", "--json")
    assert name in dlq(pipeline, "list", "ledger", "--all", "--json")


def test_an_old_account_row_that_is_replayed_brings_no_old_address_back(pipeline: Pipeline) -> None:
    account = pipeline.account(email=f"old-{uuid4().hex}@buyer.example")

    def rows() -> list[Any]:
        return [one for one in pipeline.records(ACCOUNT_ROWS) if one.key == account.encode()]

    [first] = eventually(rows, within=20, pause=0.3)
    pipeline.rows("UPDATE account SET email = %s WHERE id = %s", f"new-{uuid4().hex}@buyer.example", account)
    eventually(lambda: len(rows()) == 2, within=20, pause=0.3)
    origin = Origin(first.topic, first.partition, first.offset)
    buried = pipeline.producer.send(
        dead_letters("contacts"),
        key=first.key,
        value=first.value,
        headers=encode_info(DeadLetterInfo(origin, "MalformedRecord: it was one for an earlier version")),
        partition=first.partition,
    ).get(30)

    assert "superseded" in dlq(pipeline, "replay", f"contacts:{buried.partition}:{buried.offset}")
    assert len(rows()) == 2
    # Even where it does come again, it is older than what is known.
    pipeline.producer.send(ACCOUNT_ROWS, key=first.key, value=first.value, partition=first.partition).get(30)
    event, [kind] = pipeline.event(5)
    order(pipeline, event, kind, [UUID(account)])
    [mail] = eventually(lambda: pipeline.mails(pipeline.title(event)), within=60)
    assert mail["to"][0].startswith("new-")


def test_a_sale_that_postgresql_cannot_take_is_a_dead_letter_and_the_next_one_is_shown(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    [purchase] = order(pipeline, event, kind, buyers(pipeline, 1))
    [good] = eventually(lambda: [one for one in pipeline.outcomes(event) if one.purchase], within=20, pause=0.3)
    odd = json.loads(encode_outcome(good))
    odd["purchase"], odd["lines"][0]["name"] = str(uuid4()), "NUL \0 inside"
    assert decode_outcome(json.dumps(odd).encode()).purchase != purchase
    nobody = json.loads(encode_outcome(good)) | {"purchase": None}
    nobody.pop("purchase")
    next_one = json.loads(encode_outcome(good)) | {"purchase": str(uuid4())}
    home = partition_of(event.encode(), PARTITIONS)
    for value in (odd, nobody, next_one):
        pipeline.producer.send(OUTCOMES, key=event.encode(), value=json.dumps(value).encode(), partition=home)
    pipeline.producer.flush()

    def sold() -> set[str]:
        return {str(row[0]) for row in pipeline.rows("SELECT id FROM purchase WHERE event_id = %s", event)}

    eventually(lambda: sold() == {str(purchase), next_one["purchase"]}, within=20, pause=0.3)
    letters = [one for one in pipeline.dead_letters("sales") if one.key == event.encode()]
    assert [dict(one.headers)["dlq-error"].split(b":")[1].strip() for one in letters] == [
        b"UntranslatableCharacter",
        b"NotNullViolation",
    ]


def test_a_title_with_nul_is_refused_at_the_log(pipeline: Pipeline) -> None:
    event = str(uuid4())
    value = {
        "kind": "define-event",
        "event": event,
        "version": 1,
        "definition": {
            "title": "a\0b",
            "status": "ACTIVE",
            "startsAt": "2030-01-01T00:00:00Z",
            "endsAt": "2030-01-01T02:00:00Z",
            "timeZone": "UTC",
        },
    }
    pipeline.send(event, json.dumps(value).encode())

    def letters() -> list[Any]:
        return [one for one in pipeline.dead_letters("ledger") if one.key == event.encode()]

    assert b"$.definition.title" in dict(eventually(letters, within=20, pause=0.3)[0].headers)["dlq-error"]


def test_an_event_has_one_row_in_the_outbox_its_newest(pipeline: Pipeline) -> None:
    event, _ = pipeline.event(1, 2, 3)
    assert pipeline.rows("SELECT version FROM event_outbox WHERE aggregate_id = %s", event) == [(4,)]
    # What is deleted there is no news.
    records = [one for one in pipeline.records(EVENT_STATUS) if one.key == event.encode()]
    assert sorted(json.loads(one.value)["version"] for one in records) == [1, 2, 3, 4]


@pytest.fixture
def forgetting(pipeline: Pipeline) -> Any:
    """Lets the topics that hold addresses be compacted at once."""
    admin = KafkaAdminClient(bootstrap_servers=pipeline.kafka)
    topics = [ACCOUNT_ROWS, changelog("contacts")]
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, EMPTIED) for topic in topics])
    yield
    ways = {"cleanup.policy": "compact"}
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, ways) for topic in topics])
    admin.close()


def test_an_erased_account_is_forgotten_by_every_topic_and_gets_no_mail(pipeline: Pipeline, forgetting: None) -> None:
    mark = uuid4().hex
    account = pipeline.account(email=f"{mark}@buyer.example", lastName=f"B{mark}")
    event, [kind] = pipeline.event(5)
    title = pipeline.title(event)
    [purchase] = order(pipeline, event, kind, [UUID(account)])
    eventually(lambda: pipeline.mails(title), within=60)
    everywhere = [topic.name for topic in all_topics()]
    addresses = {ACCOUNT_ROWS, changelog("contacts")}
    assert holding(pipeline, mark, everywhere) == addresses

    assert pipeline.http.delete(f"/accounts/{account}").status_code == 204

    def forgotten() -> bool:
        # Kafka compacts only what nobody appends to any more.
        beside = next(one for one in iter(uuid4, None) if home(str(one)) == home(account))
        insert = "INSERT INTO account (id, first_name, last_name, email) VALUES (%s, 'By', 'Hand', %s)"
        pipeline.rows(insert, beside, f"{beside.hex}@hand.example")
        return not holding(pipeline, mark, addresses)

    eventually(forgotten, within=75, pause=1)
    assert holding(pipeline, mark, everywhere) == set()
    log = (pipeline.stack.settings.home / "logs" / "notifications-0.log").read_text()
    assert mark not in log
    assert pipeline.rows("SELECT status FROM purchase WHERE id = %s", purchase) == [("confirmed",)]

    pipeline.send(event, encode_command(Cancel(UUID(event), purchase, UUID(account))))
    order(pipeline, event, kind, buyers(pipeline, 1))
    eventually(lambda: len(pipeline.mails(title)) == 2, within=60)
    assert not [mail for mail in pipeline.mails(title) if "returned" in mail["subject"]]


def home(key: str) -> int:
    return partition_of(key.encode(), PARTITIONS)


def holding(pipeline: Pipeline, mark: str, topics: Collection[str]) -> set[str]:
    """Those of the topics that have a record with the mark."""
    word = mark.encode()
    return {
        topic
        for topic in topics
        if any(word in (one.value or b"") or word in (one.key or b"") for one in pipeline.records(topic))
    }

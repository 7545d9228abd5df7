"""What other producers may do to the outcomes below their records: the API, which waits for them, goes on."""

from http import HTTPStatus
from uuid import uuid4

from kafka import KafkaProducer

from connect.records.codecs import UNPACKED_MAX_BYTES
from connect.topics import OUTCOMES
from tests.pipeline import PARTITIONS, Pipeline
from tests.rawbatches import CODECS, append, batch, sealed


def test_a_purchase_is_answered_whatever_stands_among_the_outcomes(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10)
    account = pipeline.account()
    odd = sealed(batch(0, b"{}", headers=[("name", b"x")]).replace(b"name", b"\xe9t\xe9!"))
    bomb = batch(0, bytes(UNPACKED_MAX_BYTES + 1), codec="gzip")
    packed = [batch(0, b"{" * 100, codec=codec) for codec in CODECS]
    for partition in range(PARTITIONS):
        for raw in (odd, bomb, *packed):
            append(pipeline.kafka, OUTCOMES, partition, raw)
    abort_on_all(pipeline)

    answer = pipeline.buy(event, kind, 1, account)

    assert answer.status_code == HTTPStatus.CREATED, answer.text


def abort_on_all(pipeline: Pipeline) -> None:
    producer = KafkaProducer(bootstrap_servers=pipeline.kafka, transactional_id=uuid4().hex)
    try:
        producer.init_transactions()
        producer.begin_transaction()
        for partition in range(PARTITIONS):
            producer.send(OUTCOMES, key=b"key", value=b"aborted", partition=partition).get(30)
        producer.abort_transaction()
    finally:
        producer.close()

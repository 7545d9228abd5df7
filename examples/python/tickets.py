"""Buy tickets by topic, and follow the ledger's decisions, with confluent-kafka.

tickets.py buy EVENT ACCOUNT TICKET_TYPE [QUANTITY]    prints the answer
tickets.py outcomes                                    prints every decision, from where this group stopped
"""

import json
import os
import sys
import time
import uuid

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

ANSWER_TIMEOUT_S = 30
CALL_TIMEOUT_S = 10
NAME = os.environ.get("PRODUCER", "partner")


def connection():
    """The brokers, the user and TLS of the environment, in librdkafka's words."""
    user, ca = os.environ.get("KAFKA_USER"), os.environ.get("KAFKA_CA")
    transport = "SSL" if ca else "PLAINTEXT"
    found = {
        "bootstrap.servers": os.environ.get("KAFKA_SERVERS", "127.0.0.1:19092"),
        "security.protocol": f"SASL_{transport}" if user else transport,
    }
    if user:
        found |= {
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": os.environ["KAFKA_PASSWORD"],
        }
    return found | ({"ssl.ca.location": ca} if ca else {})


def buy(event, account, ticket_type, quantity="1"):
    answers = Consumer(connection() | {"group.id": f"producer-{NAME}", "enable.auto.commit": False})
    answers.assign(ends(answers, f"ticket-answers.{NAME}"))  # before the request, so that its answer comes later
    request = {
        "kind": "purchase",
        "event": event,
        "purchase": str(uuid.uuid4()),  # the same one to try again: it is bought once
        "account": account,
        "lines": [{"ticketType": ticket_type, "quantity": int(quantity)}],
    }
    correlation = uuid.uuid4().hex.encode()
    send(f"ticket-requests.{NAME}", event, json.dumps(request), {"correlation-id": correlation})
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while time.monotonic() < deadline:
        record = answers.poll(0.2)
        if record and not record.error() and ("correlation-id", correlation) in (record.headers() or ()):
            print(record.value().decode())
            return
    sys.exit(f"no answer after {ANSWER_TIMEOUT_S} seconds")


def ends(consumer, topic):
    """The ends of a topic's partitions."""
    partitions = consumer.list_topics(topic, CALL_TIMEOUT_S).topics[topic].partitions
    places = [TopicPartition(topic, number) for number in partitions]
    return [TopicPartition(topic, it.partition, consumer.get_watermark_offsets(it, CALL_TIMEOUT_S)[1]) for it in places]


def send(topic, key, value, headers):
    """Append a record. librdkafka hashes keys with CRC32 unless it is told to do it as Java does."""
    failed = []
    producer = Producer(connection() | {"partitioner": "murmur2_random", "enable.idempotence": True})
    producer.produce(topic, value, key, headers=headers, on_delivery=lambda error, _: error and failed.append(error))
    if producer.flush(CALL_TIMEOUT_S) or failed:
        sys.exit(f"the request was not stored: {failed or 'Kafka does not answer'}")


def outcomes():
    group = {"group.id": os.environ.get("KAFKA_GROUP", "reader"), "auto.offset.reset": "earliest"}
    consumer = Consumer(connection() | group)
    consumer.subscribe(["ticket-purchase"])
    while True:
        record = consumer.poll(1)
        if record and record.error():
            raise KafkaException(record.error())
        if record:
            print(record.value().decode(), flush=True)


if __name__ == "__main__":
    {"buy": buy, "outcomes": outcomes}[sys.argv[1]](*sys.argv[2:])

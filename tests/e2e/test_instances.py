"""Several API processes side by side: whichever is asked, the answer is the same, and each may go at any time."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import httpx
import pytest

from tests.eventually import eventually
from tests.instance import Instance
from tests.pipeline import Pipeline
from tests.proxy import Proxy, running

CLIENTS = 10
BY_THE_PROXY = 2


@pytest.fixture(scope="module")
def instances(pipeline: Pipeline) -> Iterator[list[Instance]]:
    more = {"TURNSTILE_TRUSTED_PROXIES": "1"}
    with Instance(pipeline.stack, more=more) as one, Instance(pipeline.stack, more=more) as other:
        yield [one, other]


@pytest.fixture(scope="module")
def proxy(instances: list[Instance], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with running(tmp_path_factory.mktemp("proxy"), [one.port for one in instances]) as proxy:
        yield proxy


def buy(
    pipeline: Pipeline, instance: Instance, event: str, kind: str, account: str, key: str, **headers: str
) -> httpx.Response:
    body = {"eventId": event, "lines": [{"ticketTypeId": kind, "quantity": 1}]}
    more = pipeline.bearer(account) | {"Idempotency-Key": key} | headers
    return httpx.post(f"{instance.url}/purchases", json=body, headers=more, timeout=30, trust_env=False)


def test_one_key_sent_to_all_at_once_is_bought_once(pipeline: Pipeline, instances: list[Instance]) -> None:
    event, [kind] = pipeline.event(10)
    account = pipeline.account()

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda n: buy(pipeline, instances[n % 2], event, kind, account, "one"), range(8)))

    assert {answer.status_code for answer in answers} <= {201, 202, 409}
    assert len({answer.json()["id"] for answer in answers if answer.is_success}) == 1
    again = eventually(partial(decided, pipeline, instances[0], event, kind, account, "one"), within=30)
    assert again.status_code == 201
    assert pipeline.settled(event, 1)["ticketTypes"][0]["sold"] == 1


def test_a_key_counts_for_one_event_at_every_instance(pipeline: Pipeline, instances: list[Instance]) -> None:
    events = [pipeline.event(5) for _ in range(2)]
    account = pipeline.account()
    for _ in range(2):
        for instance in instances:
            for event, [kind] in events:
                answer = buy(pipeline, instance, event, kind, account, "same")
                assert (answer.status_code, answer.json()["eventId"]) == (201, event)
    for event, _ in events:
        assert pipeline.settled(event, 1)["ticketTypes"][0]["sold"] == 1


def test_what_one_accepted_another_tells_once_it_is_decided(pipeline: Pipeline, instances: list[Instance]) -> None:
    event, [kind] = pipeline.event(5)
    account = pipeline.account()
    accepted = buy(pipeline, instances[0], event, kind, account, "later", Prefer="respond-async")
    assert accepted.status_code == 202

    where = accepted.headers["Location"].removeprefix("/api/v3")
    told = httpx.get(
        f"{instances[1].url}{where}?wait=10", headers=pipeline.bearer(account), timeout=30, trust_env=False
    )
    assert (told.status_code, told.json()["status"]) == (200, "confirmed")


def test_what_one_accepted_is_pending_at_all_until_it_is_decided(pipeline: Pipeline, instances: list[Instance]) -> None:
    event, [kind] = pipeline.event(5)
    account = pipeline.account()
    assert buy(pipeline, instances[0], event, kind, account, "first").status_code == 201

    def statuses() -> list[tuple[int, str]]:
        answers = [
            httpx.get(f"{instance.url}{where}", headers=pipeline.bearer(account), timeout=30, trust_env=False)
            for instance in instances
        ]
        return [(answer.status_code, answer.json().get("status")) for answer in answers]

    pipeline.stack.pause("ledger-0")
    try:
        accepted = buy(pipeline, instances[0], event, kind, account, "second", Prefer="respond-async")
        assert accepted.status_code == 202
        where = accepted.headers["Location"].removeprefix("/api/v3")
        assert statuses() == [(200, "pending")] * 2
    finally:
        pipeline.stack.resume("ledger-0")
    eventually(lambda: statuses() == [(200, "confirmed")] * 2, within=30)


def test_a_sold_out_event_is_no_reason_to_deny_what_another_instance_sold(
    pipeline: Pipeline, instances: list[Instance]
) -> None:
    event, [kind] = pipeline.event(1)
    account = pipeline.account()
    bought = buy(pipeline, instances[0], event, kind, account, "the last")
    assert bought.status_code == 201

    def refused_early() -> bool:
        answer = buy(pipeline, instances[1], event, kind, pipeline.account(), uuid4().hex)
        return bool(answer.json().get("retryable"))

    for _ in range(3):
        eventually(refused_early, within=10)
        again = buy(pipeline, instances[1], event, kind, account, "the last")
        assert (again.status_code, again.json()["id"]) == (201, bought.json()["id"])


def test_by_the_proxy_one_buys_over_tls_and_a_request_that_ends_too_early_buys_nothing(
    pipeline: Pipeline, proxy: Proxy
) -> None:
    event, [kind] = pipeline.event(10)
    account = pipeline.account()
    headers = pipeline.bearer(account) | {"Idempotency-Key": uuid4().hex}
    body = {"eventId": event, "lines": [{"ticketTypeId": kind, "quantity": 1}]}
    with proxy.client() as client:
        page = client.get("/sign-in")
        assert (page.is_success, "Strict-Transport-Security" in page.headers) == (True, True)
        request = client.build_request("POST", "/api/v3/purchases", json=body, headers=headers)
        fields = {**request.headers, "idempotency-key": uuid4().hex, "content-length": f"{len(request.content) + 7}"}
        with proxy.connect() as cut:
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            cut.sendall(f"POST /api/v3/purchases HTTP/1.1\r\n{head}\r\n".encode() + request.content)
            socket.socket.shutdown(cut, socket.SHUT_WR)
            assert cut.recv(100) == b""
        assert client.send(request).status_code == 201
    assert pipeline.settled(event, 1)["ticketTypes"][0]["sold"] == 1


def test_a_rolling_restart_under_load_fails_nobody(pipeline: Pipeline, instances: list[Instance], proxy: Proxy) -> None:
    event, [kind] = pipeline.event(100_000)
    stop = threading.Event()
    answers: Counter[object] = Counter()
    idle = [httpx.Client(base_url=instance.url, timeout=30, trust_env=False) for instance in instances]
    for client in idle:
        assert client.get("/health/live").is_success

    with ThreadPoolExecutor(CLIENTS + BY_THE_PROXY) as crowd:
        buyers = [
            crowd.submit(keep_buying, pipeline, urls, event, kind, pipeline.account(), stop, answers)
            for urls in [[one.url for one in instances]] * CLIENTS + [[f"{proxy.url}/api/v3"]] * BY_THE_PROXY
        ]
        try:
            for instance in instances:
                eventually(partial(more_than, answers, sum(answers.values()) + 100), within=60)
                assert instance.stop() == 0
                instance.start()
        finally:
            stop.set()
        for buyer in buyers:
            buyer.result()

    for client in idle:
        client.close()
    # On a machine that is busy with other things a decision may take longer than the wait.
    assert set(answers) <= {201, 202}, answers
    bought = answers[201] + answers[202]
    eventually(lambda: pipeline.settled(event, 1)["ticketTypes"][0]["sold"] == bought, within=30)


def decided(
    pipeline: Pipeline, instance: Instance, event: str, kind: str, account: str, key: str
) -> httpx.Response | None:
    """The answer, once it is no longer that the same key is running or undecided."""
    answer = buy(pipeline, instance, event, kind, account, key)
    return answer if answer.status_code == 201 else None


def more_than(answers: Counter[object], count: int) -> bool:
    return sum(answers.values()) > count


def keep_buying(
    pipeline: Pipeline,
    urls: list[str],
    event: str,
    kind: str,
    account: str,
    stop: threading.Event,
    answers: Counter[object],
) -> None:
    """Buy one ticket after the other on a kept connection; where one is not let in, at the other address, if any."""
    clients = [httpx.Client(base_url=url, timeout=30, trust_env=False, verify=False) for url in urls]  # noqa: S501
    turn = hash(account)
    while not stop.is_set():
        headers = pipeline.bearer(account) | {"Idempotency-Key": uuid4().hex}
        body = {"eventId": event, "lines": [{"ticketTypeId": kind, "quantity": 1}]}
        try:
            answer = clients[turn % len(clients)].post("/purchases", json=body, headers=headers)
        except httpx.ConnectError as error:
            turn += 1
            if len(clients) == 1:
                answers[repr(error)] += 1
        except httpx.TransportError as error:
            answers[repr(error)] += 1
        else:
            answers[answer.status_code] += 1
    for client in clients:
        client.close()

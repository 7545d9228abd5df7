"""The image of the Dockerfile, run as docker-compose.yml says. Not part of ``make test``: ``make containers``."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from lab.trial_stack import TrialStack
from tests.containers.container import KILLED, NOT_APPLIED, Container
from tests.containers.engine import ROOT, VERSION, build, engine, limits, podman
from tests.containers.site import HEALTHY_WITHIN_S, JOBS, PARTS, WORKERS, Shop, Site
from tests.eventually import eventually

IMAGE_MAX_MB = 350
DEVELOPMENT = ("pip", "uv", "gcc", "strip", "make", "git", "pytest", "mypy", "ruff", "hadolint")
LIMITS = [f"--ulimit={name}={limit}:{limit}" for name, limit in limits().items()]
BASE = re.search(r"^ARG PYTHON=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    engine()
    assert BASE is not None
    began = time.monotonic()
    found = build("app", BASE[1], tmp_path_factory.mktemp("image") / "id")
    print(f"\nbuilt in {time.monotonic() - began:.0f} s: {found}", flush=True)
    return found


@pytest.fixture(scope="session")
def site(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Servers with users in Kafka, and all that the jobs make."""
    stack = TrialStack.on_free_ports(tmp_path_factory.mktemp("containers") / "home", kafka_security=True)
    try:
        stack.start()
        site = Site(stack, image, tmp_path_factory.mktemp("secrets") / "files")
        print("\nNOT APPLIED: search-access, for there are no users in the embedded Elasticsearch")
        print(*(f"NOT APPLIED of each service: {key} ({why})" for key, why in NOT_APPLIED.items()), sep="\n")
        for job in JOBS:
            site.run_job(job)
        yield site
    finally:
        stack.remove()


def test_the_image_is_small_and_says_what_it_is(image: str) -> None:
    [told] = json.loads(podman("image", "inspect", image))
    print(f"\n{told['Size'] / 1e6:.0f} MB, {told['Digest']}")
    assert told["Size"] / 1e6 <= IMAGE_MAX_MB
    assert told["Labels"]["org.opencontainers.image.version"] == VERSION
    assert f"localhost/turnstile-app:{VERSION}" in told["RepoTags"]
    assert told["User"] == "10001:10001"


def test_no_tool_of_development_is_in_the_image(image: str) -> None:
    look = "ls $(echo $PATH | tr : ' ') /opt/venv/lib/python3*/site-packages"
    found = podman("run", "--rm", "--network", "none", *LIMITS, image, "sh", "-c", look).split()
    assert {"python", "faust", "env"} <= set(found)
    assert set(DEVELOPMENT) & set(found) == set()


def test_what_was_sold_is_read_in_every_part_and_each_part_ends_when_it_is_asked(site: Site) -> None:
    with site.running(*PARTS) as containers, closing(Shop(site.stack)) as shop:
        for name, container in containers.items():
            began = time.monotonic()
            eventually(container.healthy, within=HEALTHY_WITHIN_S, pause=1)
            print(f"{name}: healthy {time.monotonic() - began:.0f} s after the one before")
        sell_and_read(site, shop)
        codes = {name: stopped(container) for name, container in containers.items()}
    assert KILLED not in codes.values(), codes


def stopped(container: Container) -> int:
    began = time.monotonic()
    code = container.stop()
    print(f"{container.name}: stopped after {time.monotonic() - began:.1f} s")
    return code


def sell_and_read(site: Site, shop: Shop) -> None:
    title = f"Concert {uuid4().hex[:8]}"
    event = shop.new_event(title=title)
    floor, buyer = shop.ticket_type(event, 2), shop.account()
    token = (site.folder / "worker_tokens").read_text()
    eventually(lambda: shop.ledger_view(event, token)["ticketTypes"], within=30)
    answers = [shop.buy(event, floor, 1, buyer).status_code for _ in range(3)]
    assert answers == [201, 201, 409]
    [sold] = [kind["sold"] for kind in shop.ledger_view(event, token)["ticketTypes"]]
    assert sold == 2
    count = "SELECT count(*) FROM purchase WHERE event_id = %s AND status = 'confirmed'"
    eventually(lambda: shop.rows(count, event) == [(2,)], within=30)
    eventually(lambda: event in shop.found(title), within=30)
    eventually(lambda: len(shop.mails(title)) >= 2, within=60)


def test_without_kafka_all_live_and_each_ends_when_it_is_asked(site: Site) -> None:
    site.stack.stop("kafka")
    try:
        with site.running("api", *WORKERS) as containers:
            for name in containers:
                eventually(lambda name=name: site.is_live(name), within=HEALTHY_WITHIN_S)  # type: ignore[misc]
            codes = {name: stopped(container) for name, container in containers.items()}
    finally:
        site.stack.start("kafka")
    assert KILLED not in codes.values(), codes

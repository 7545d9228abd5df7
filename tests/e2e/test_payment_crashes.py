"""A worker of payments is killed at each of its writes while buyers pay: nobody is charged twice, or for nothing."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from lab.demo.onsale import client
from lab.demo.paid_sale import PaidSale, buy, make_sale
from lab.demo.paid_verdict import PaidVerdict, judge
from lab.demo.shop import Shop
from lab.target import Target, target_of
from stack.apps import ROOT
from tests.chaos.points import PAYMENT_POINTS
from tests.eventually import eventually
from tests.pipeline import Pipeline

PAYMENTS = "payments-0"
BUYERS = 400
GROUP = 4
GROUP_EVERY_S = 2.0
REACHED_WITHIN_S = 60
# Longer than it takes to be killed everywhere.
SETTLED_MAX_S = 600.0


class Buyers:
    """Groups of buyers come one after the other until ``is_over``; then everything is judged."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.is_over = threading.Event()
        self.has_begun = threading.Event()

    async def come(self) -> tuple[PaidSale, PaidVerdict]:
        """Let them come."""
        async with client() as http:
            shop = Shop(self.target, http, SETTLED_MAX_S)
            sale = await make_sale(shop, BUYERS, seed=1)
            coming = iter(sale.purchases)
            async with asyncio.TaskGroup() as group:
                while not self.is_over.is_set():
                    for purchase in islice(coming, GROUP):
                        group.create_task(buy(shop, sale, purchase))
                    self.has_begun.set()
                    await asyncio.sleep(GROUP_EVERY_S)
            return sale, await judge(shop, sale)


def run_to(pipeline: Pipeline, point: str) -> int:
    """Run a worker that is killed at a point; its exit code."""
    command = pipeline.stack.members[PAYMENTS].command()
    environment = {**os.environ, **command.env, "CHAOS_TRAP": point}
    argv = (sys.executable, "-m", "tests.chaos.payments_worker")
    with command.log.open("ab") as log:
        worker = subprocess.Popen(argv, env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        return worker.wait(REACHED_WITHIN_S)
    finally:
        worker.kill()
        worker.wait()


def receipts(pipeline: Pipeline, event: str) -> list[str]:
    """The Message-IDs of the receipts that came."""
    mails = pipeline.mails(pipeline.title(event))
    return [mail["message_id"] for mail in mails if mail["subject"].startswith("Receipt: ")]


def test_a_crash_at_any_write_costs_nobody_money_or_tickets(pipeline: Pipeline) -> None:
    buyers = Buyers(target_of(pipeline.stack.environment, pipeline.stack.settings.mail_port))
    with ThreadPoolExecutor(1) as thread:
        judged = thread.submit(lambda: asyncio.run(buyers.come()))
        try:
            assert buyers.has_begun.wait(120)
            pipeline.stack.stop(PAYMENTS)
            ended = {point: run_to(pipeline, point) for point in PAYMENT_POINTS}
        finally:
            buyers.is_over.set()
            pipeline.stack.start(PAYMENTS)
        sale, verdict = judged.result()

    assert ended == dict.fromkeys(PAYMENT_POINTS, -signal.SIGKILL)
    assert verdict.broken == []
    paid = [book for book in verdict.books if book["captured"]]
    assert len(paid) > len(PAYMENT_POINTS)
    assert eventually(lambda: len(set(receipts(pipeline, str(sale.event)))) == len(paid), within=30)

"""The client of a chaos run: carries out a plan over REST and on the log, and writes down every try and every answer.

It behaves as programs of buyers do: who gets no answer, or 503, asks again with the same key; who gets 202 asks later.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from api.roles import Role
from lab.chaos.catalogue import HIDDEN
from lab.chaos.history import Diary
from lab.chaos.operation import Act
from lab.chaos.plan import Plan
from lab.chaos.record_batch import BatchAppender, RawRecord, record_batch
from lab.target import Target

BASE: Final = "/api/v3"
TRY_S: Final = 6.0
# Longer than any outage of the schedule with all that comes back after it.
PATIENCE_S: Final = 90.0
APPEND_S: Final = 20.0
TRANSACTION_MS: Final = 10_000
PAUSE_S: Final = 1.0
WAIT_S: Final = 4
AGAIN: Final = frozenset({0, 429, 500, 502, 503, 504})
OK: Final = 200
ACCEPTED: Final = 202
NOT_FOUND: Final = 404
CONFLICT: Final = 409
# Who has read an outcome for good: what comes again before that may be an ordinary replay.
READERS: Final = {"ticket-purchase": ("turnstile-notifications", "turnstile-sales")}

Json = dict[str, Any]


class Client:
    """Carries out a plan against ``target``; ``kafka`` is where it appends, ``direct`` the broker without a proxy."""

    def __init__(self, plan: Plan, target: Target, direct: str, diary: Diary, seed: int) -> None:
        self.plan, self.target, self.direct, self.diary = plan, target, direct, diary
        self.done = 0
        self.patience = PATIENCE_S
        self._dice = random.Random(f"client {seed}")
        self._headers: dict[str, dict[str, str]] = {}

    async def prepare(self) -> None:
        """Make the people, and the events that are there from the start."""
        async with self._session() as http:
            self._http = http
            people = [*self.plan.catalogue.organizers, *self.plan.catalogue.buyers]
            await asyncio.gather(*(self._make(number, "/accounts", each.body) for number, each in enumerate(people)))
            shows = [show.body for show in self.plan.before]
            await asyncio.gather(*(self._make(number, "/events", body) for number, body in enumerate(shows)))

    async def run(self) -> None:
        """Do everything at its time; returns when every act has come to an end."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.target.kafka, acks="all", request_timeout_ms=4_000, enable_idempotence=False
        )
        copier = AIOKafkaProducer(bootstrap_servers=self.direct, acks="all")
        admin = AIOKafkaAdminClient(bootstrap_servers=self.direct)
        async with self._session() as http:
            self._http, self._producer, self._copier, self._admin = http, producer, copier, admin
            try:
                for each in (producer, copier, admin):
                    await each.start()
                await self._carry_out(self.plan.acts)
            finally:
                for each in (producer, copier):
                    await each.stop()
                await admin.close()

    def give_up(self) -> None:
        """Begin nothing more, and ask nothing again."""
        self.patience = 0.0

    async def close_up(self) -> None:
        """When all is quiet: read everybody's list of purchases, and search for what must not be found."""
        async with self._session() as http:
            self._http = http
            for buyer in self.plan.catalogue.buyers:
                await self._list(buyer.id)
            hidden = Act(0, 0.0, "ask", "closing-search", method="GET", path=f"/events/search?q={HIDDEN}&limit=100")
            await self._ask(hidden)

    async def _list(self, account: str) -> None:
        path: str | None = f"/accounts/{account}/purchases?limit=100"
        while path:
            act = Act(0, 0.0, "ask", "closing", method="GET", path=path, who=account)
            status, answer = await self._try(act, "GET", path, 0, who=account)
            if status != OK:
                await asyncio.sleep(PAUSE_S)
                continue
            path = f"/accounts/{account}/purchases?limit=100&cursor={answer['next']}" if "next" in answer else None

    async def _carry_out(self, acts: Iterable[Act]) -> None:
        began = time.monotonic()
        tasks = []
        for act in acts:
            await asyncio.sleep(max(0.0, began + act.at - time.monotonic()))
            if not self.patience:
                break
            tasks.append(asyncio.create_task(self._do(act)))
        await asyncio.gather(*tasks)

    async def _do(self, act: Act) -> None:
        work = {"ask": self._ask, "append": self._append_all, "copy": self._copy}[act.what]
        await work(act)
        self.done += 1

    # requests

    def _session(self) -> ClientSession:
        return ClientSession(connector=TCPConnector(limit=500), timeout=ClientTimeout(total=TRY_S))

    async def _make(self, number: int, path: str, body: Json) -> None:
        act = Act(-1 - number, 0.0, "ask", "prepare", method="POST", path=path, body=body, who="administrator")
        await self._ask(act)

    async def _ask(self, act: Act) -> None:
        began = time.monotonic()
        for count in range(1_000):
            status, answer = await self._try(act, act.method, act.path, count)
            if status == ACCEPTED:
                await self._follow(act, answer, began)
                return
            running = status == CONFLICT and str(answer.get("type", "")).endswith("still-running")
            if (status not in AGAIN and not running) or not self._waits(began):
                return
            await asyncio.sleep(PAUSE_S * self._dice.uniform(0.3, 1.0))

    def _waits(self, began: float) -> bool:
        return time.monotonic() - began < self.patience

    async def _follow(self, act: Act, answer: Json, began: float) -> None:
        """Ask what became of a purchase that was accepted, until it is decided."""
        path = f"/purchases/{answer['id']}?wait={WAIT_S}"
        while self._waits(began):
            status, found = await self._try(act, "GET", path, 0, followed=True)
            # Who asks for what is another's will never find it.
            unknown_yet = status == NOT_FOUND and act.name != "intrude"
            if status not in AGAIN and not unknown_yet and found.get("status") != "pending":
                return
            await asyncio.sleep(PAUSE_S)

    async def _try(
        self, act: Act, method: str, path: str, count: int, *, followed: bool = False, **more: Any
    ) -> tuple[int, Json]:
        """Status and body; 0 where there was no answer."""
        headers = self._signed(act) | ({"Idempotency-Key": act.key} if act.key and not followed else {})
        if method in ("PATCH", "PUT"):
            headers["If-Match"] = "*"
        began = time.time()
        status = 0
        answer: Json = {}
        body = None if followed else act.body
        with suppress(ClientError, TimeoutError, OSError, ValueError):
            async with self._http.request(
                method, f"{self.target.api}{BASE}{path}", json=body, headers=headers
            ) as response:
                answer = await response.json(content_type=None) or {}
                status = response.status
        more |= {"n": act.n, "try": count, "followed": followed, "status": status, "answer": answer}
        self.diary.note(act.name, began, method=method, path=path, **more)
        return status, answer

    def _signed(self, act: Act) -> dict[str, str]:
        if not act.who:
            return {}
        name = f"{act.who} {act.roles}"
        if name not in self._headers:
            roles = [Role(role) for role in act.roles]
            administrator = act.who == "administrator"
            made = self.target.administrator() if administrator else self.target.bearer(act.who, *roles)
            self._headers[name] = made
        return dict(self._headers[name])

    # records

    async def _append_all(self, act: Act) -> None:
        for _ in range(act.times):
            await self._append(act)

    async def _append(self, act: Act) -> None:
        """Append a record; without an acknowledgement it may be there or not, and is not sent again."""
        began, offset = time.time(), None
        by_hand = act.codec or act.odd_header
        send = self._transact if act.ends else self._pack if by_hand else self._send
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(APPEND_S):
                offset = await send(act)
        more: Json = {"ends": act.ends} if act.ends else {}
        self.diary.note(act.name, began, n=act.n, topic=act.topic, partition=act.partition, offset=offset, **more)

    async def _send(self, act: Act) -> int:
        return await _send_by(self._producer, act)

    async def _transact(self, act: Act) -> int:
        """Append a record in a transaction of its own, past the proxies; its offset once that has ended."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.direct,
            transactional_id=f"chaos-{act.n}",
            transaction_timeout_ms=TRANSACTION_MS,
        )
        try:
            await producer.start()
            await producer.begin_transaction()
            offset = await _send_by(producer, act)
            await (producer.commit_transaction() if act.ends == "commit" else producer.abort_transaction())
            return offset
        finally:
            with suppress(TimeoutError):  # it waits for brokers that are away
                async with asyncio.timeout(APPEND_S):
                    await producer.stop()

    async def _pack(self, act: Act) -> int:
        """Append a batch that is made here, past the proxies."""
        odd = [(bytes.fromhex(act.odd_header), b"x")] if act.odd_header else []
        headers = [*((name.encode(), text.encode()) for name, text in act.headers.items()), *odd]
        record = RawRecord(act.key.encode(), (act.value or "").encode() + bytes(act.zeros), headers)
        batch = record_batch([record], at_ms=round(time.time() * 1000), codec=act.codec or "none")
        async with BatchAppender(self.direct, [act.topic]) as appender:
            return await appender.append(act.topic, act.partition or 0, batch)

    async def _copy(self, act: Act) -> None:
        """Append an older record once more, as it is."""
        began = time.time()
        place = TopicPartition(act.topic, act.partition)
        with suppress(KafkaError, TimeoutError, UnicodeDecodeError):  # no library reads every header
            async with asyncio.timeout(APPEND_S):
                end = await self._old_end(place)
                record = await self._record(place, int(act.share * end)) if end else None
                if record is None:
                    return
                sent = await self._copier.send_and_wait(
                    act.topic, record.value, key=record.key, partition=act.partition, headers=list(record.headers)
                )
                more = {"partition": act.partition, "offset": sent.offset, "original": record.offset}
                self.diary.note("copy", began, n=act.n, topic=act.topic, **more)

    async def _old_end(self, place: TopicPartition) -> int:
        """Below this offset everything is old: all that are named as readers have read it for good."""
        committed = [
            (await self._admin.list_consumer_group_offsets(group)).get(place) for group in READERS.get(place.topic, ())
        ]
        if committed:
            return min(0 if each is None else int(each.offset) for each in committed)
        return await self._end(place)

    async def _end(self, place: TopicPartition) -> int:
        async with self._reader(place) as reader:
            return int((await reader.end_offsets([place]))[place])

    async def _record(self, place: TopicPartition, offset: int) -> Any:
        async with self._reader(place) as reader:
            reader.seek(place, offset)
            found = await reader.getmany(place, timeout_ms=2_000, max_records=1)
            return next((record for records in found.values() for record in records), None)

    @asynccontextmanager
    async def _reader(self, place: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer of one partition, which is also closed where it could not be started."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.direct, enable_auto_commit=False, isolation_level="read_committed"
        )
        try:
            await consumer.start()
            consumer.assign([place])
            yield consumer
        finally:
            await consumer.stop()


async def _send_by(producer: AIOKafkaProducer, act: Act) -> int:
    value = None if act.value is None else act.value.encode()
    headers = [(name, text.encode()) for name, text in act.headers.items()]
    place = await producer.send_and_wait(
        act.topic, value, key=act.key.encode(), partition=act.partition, headers=headers
    )
    return int(place.offset)

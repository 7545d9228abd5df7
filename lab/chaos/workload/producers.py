"""Commands that producers write straight to the log: duplicates, wrong partitions and transactions among them."""

import json
from typing import Any, Final
from uuid import UUID

from lab.chaos.workload.buyers import HOLDS_S
from lab.chaos.workload.catalogue import Show
from lab.chaos.workload.payers import Payers
from lab.chaos.workload.timeline import Requested, Timeline

Json = dict[str, Any]

TOPIC: Final = "ticket-commands"
DEFAULT_HOLD_S: Final = 8
CODECS: Final = ("gzip", "snappy", "lz4", "zstd")
MISROUTED_SHARE: Final = 0.05
REPEATED_AFTER_S: Final = (0.01, 0.3, 2.0)
# What a field of a request's line is called in a command.
NOUNS: Final = {"ticketTypeId": "ticketType"}


class Producers:
    """Purchases, holds, and changes of what was bought."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._rng = timeline.rng
        self._payers = Payers(timeline)

    def command(self, at: float) -> None:
        """Add a command of any sort."""
        draw = self._rng.random()
        known = self._timeline.by_log or self._timeline.by_rest
        if draw < 0.7 or not known:
            self._buy(at)
            return
        old = self._rng.choice(list(known)[-60:])
        kind, ids = self._rng.choice(("confirm", "cancel", "expire", "exchange")), old.ids
        if kind == "expire":
            ids.pop("account")
        if kind == "exchange":
            self._exchange(at)
            return
        if kind == "cancel" and self._rng.random() < 0.5:
            self._append_request(at, old.event, {"kind": kind, **ids, **old.one_ticket("ticketType")})
            return
        self._append(at, old.event, {"kind": kind, **ids})

    def abort(self, at: float) -> None:
        """Add a purchase whose transaction is aborted."""
        _, requested, body = self._new_purchase(at)
        more: Json = {"topic": TOPIC, "key": requested.event, "value": json.dumps(body), "ends": "abort"}
        self._timeline.add(at, "append", "aborted", partition=self._timeline.home(requested.event), **more)

    def _exchange(self, at: float) -> None:
        seated = [requested for requested in self._timeline.by_log if requested.seats]
        if seated:
            old = self._rng.choice(seated[-20:])
            self._append_request(at, old.event, {"kind": "exchange", **old.ids, **self._timeline.exchange(old)})

    def _append_request(self, at: float, event: str, body: Json) -> None:
        """A command that its request tells from another one, and sometimes once more the same bytes."""
        body |= {"request": self._timeline.uuid()}
        self._append(at, event, body)
        if self._rng.random() < 0.4:
            self._append(at + self._rng.choice(REPEATED_AFTER_S), event, body)

    def _buy(self, at: float) -> None:
        show, requested, body = self._new_purchase(at)
        self._timeline.by_log.append(requested)
        self._append(at, requested.event, body)
        self._payers.follow(at, show, requested)

    def _new_purchase(self, at: float) -> tuple[Show, Requested, Json]:
        show, order = self._timeline.order(at)
        buyer, hold = self._rng.choice(self._timeline.catalogue.buyers).id, self._rng.random() < 0.25
        requested = Requested(show.id, str(UUID(int=self._rng.getrandbits(128), version=4)), buyer, order, "")
        lines = [{NOUNS.get(name, name): value for name, value in line.items()} for line in order["lines"]]
        body: Json = {"kind": "hold" if hold else "purchase", **requested.ids, "lines": lines}
        if hold:
            body["seconds"] = self._rng.choice(HOLDS_S) or DEFAULT_HOLD_S
            body["byDefault"] = self._rng.random() < 0.2
        return show, requested, body

    def _append(self, at: float, event: str, body: Json) -> None:
        misrouted = self._rng.random() < MISROUTED_SHARE
        partition = self._timeline.partition() if misrouted else self._timeline.home(event)
        times = self._rng.choice((1, 1, 1, 1, 2))
        how = self._rng.choices(({}, {"codec": self._rng.choice(CODECS)}, {"ends": "commit"}), (80, 12, 8))[0]
        more: Json = {"topic": TOPIC, "key": event, "value": json.dumps(body), "partition": partition}
        self._timeline.add(at, "append", "command", times=times, **more, **how)

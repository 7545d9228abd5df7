"""The load of a chaos run: every request and every record with its time, made from a seed alone.

An id of a purchase follows from its account and key, so whatever comes later about it needs no answer first.
"""

import json
import random
from collections import deque
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from kafka.partitioner.default import murmur2

from lab.chaos.catalogue import HIDDEN, WORD, Catalogue, Show
from lab.chaos.operation import Act

Json = dict[str, Any]

ASKS_PER_S: Final = 14.0
COMMANDS_PER_S: Final = 8.0
CHANGE_EVERY_S: Final = 6.0
POISON_EVERY_S: Final = 3.0
BOMB_EVERY_S: Final = 15.0
ABORT_EVERY_S: Final = 3.0
COPY_EVERY_S: Final = 1.0
# None leaves the time to the operator's setting.
HOLDS_S: Final = (3, 6, 12, 20, None)
USUAL_HOLD_S: Final = 8
LATE_S: Final = 1.0
REMEMBERED: Final = 300
HOT: Final = 0.4
BLOCKS: Final = (1, 1, 2, 2, 4)

# The topics that have a reader with dead letters.
POISONED: Final = (
    "ticket-commands",
    "event_ticket_db.public.event",
    "event_ticket_db.public.account",
    "outbox.event.event_status",
    "ticket-purchase",
    "notification-jobs",
    "notification-requests",
    "notification-log",
)
POISONS: Final = (
    "not JSON at all {0}",
    '{{"kind": "steal", "event": "{0}"}}',
    '{{"kind": "purchase", "event": "{0}", "purchase": 7, "id": 7, "__lsn": "x"}}',
    '["{0}"',
    "\x00\x01 {0}",
)
# An event that no document can tell.
ODD_ROW: Final = (
    '{{"id": "{1}", "__lsn": 1, "title": "{0}", "status": "ACTIVE", "time_zone": "Mars/Phobos",'
    ' "starts_at": "2031-05-17T18:00:00Z", "ends_at": "2031-05-17T20:00:00Z"}}'
)
# Of these the run reads nothing in the end: what no client library can read may lie there.
UNGATHERED: Final = (
    "event_ticket_db.public.event",
    "event_ticket_db.public.account",
    "outbox.event.event_status",
    "notification-requests",
    "notification-log",
)
CODECS: Final = ("gzip", "snappy", "lz4", "zstd")
ODD_NAME: Final = "e974e9"
BOMB_BYTES: Final = 40 * 2**20
# What may come again at any time, and must then change nothing.
COPIED: Final = (
    "ticket-commands",
    "ticket-purchase",
    "event_ticket_db.public.event",
    "event_ticket_db.public.account",
    "outbox.event.event_status",
    "turnstile-ledger-changelog",
)


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase that was asked for: enough to come back to it."""

    event: str
    purchase: str
    account: str
    order: Json
    key: str


class Plan:
    """The acts of a seed, in the order of their times."""

    def __init__(self, seed: int, seconds: float, partitions: int, copy_every: float = COPY_EVERY_S) -> None:
        self.catalogue = Catalogue(seed, seconds)
        self._partitions = partitions
        self._dice = random.Random(f"plan {seed}")
        self._acts: list[Act] = []
        self._made: deque[Bought] = deque(maxlen=REMEMBERED)
        self._by_log: deque[Bought] = deque(maxlen=REMEMBERED)
        self._status = {show.id: "ACTIVE" for show in self.catalogue.shows}
        self._stock = {show.id: dict(show.quantities) for show in self.catalogue.shows}
        for show in [*self.catalogue.shows, *self.catalogue.drafts]:
            if show.at:
                self._organize(show.at, "make-event", show, "POST", "/events", show.body)
        for rate, act in (
            (ASKS_PER_S, self._ask),
            (COMMANDS_PER_S, self._command),
            (1 / CHANGE_EVERY_S, self._change),
            (1 / POISON_EVERY_S, self._poison),
            (1 / BOMB_EVERY_S, self._bomb),
            (1 / ABORT_EVERY_S, self._abort),
            (1 / copy_every, self._copy),
        ):
            at = self._dice.expovariate(rate)
            while at < seconds:
                act(at)
                at += self._dice.expovariate(rate)
        self.acts = sorted(self._acts, key=lambda act: act.at)

    @property
    def before(self) -> list[Show]:
        """The events that are there before the run begins."""
        return [show for show in [*self.catalogue.shows, *self.catalogue.drafts] if not show.at]

    def _add(self, at: float, what: str, name: str, **more: Any) -> None:
        self._acts.append(Act(len(self._acts), at, what, name, **more))

    # buyers

    def _ask(self, at: float) -> None:
        dice = self._dice.random()
        if dice < 0.45 or not self._made:
            self._buy(at, hold=False)
        elif dice < 0.58:
            self._buy(at, hold=True)
        elif dice < 0.66:
            self._again(at)
        elif dice < 0.68:
            self._other_body(at)
        elif dice < 0.75:
            self._about(at, "confirm")
        elif dice < 0.83:
            self._about(at, "cancel")
        elif dice < 0.91:
            self._read(at)
        elif dice < 0.96:
            word = self._dice.choice((WORD, HIDDEN, "Gasworks"))
            self._add(at, "ask", "search", method="GET", path=f"/events/search?q={word}&limit=100")
        else:
            self._intrude(at)

    def _show(self, at: float) -> Show:
        on_sale = [show for show in self.catalogue.shows if show.at + LATE_S < at or not show.at]
        # The newest draw most, so that each is sold out in its turn.
        return on_sale[-1] if self._dice.random() < HOT else self._dice.choice(on_sale)

    def _order(self, at: float) -> tuple[Show, Json]:
        show = self._show(at)
        kinds = self._dice.sample(list(show.quantities), min(len(show.quantities), self._dice.choice((1, 1, 2))))
        lines = [{"ticketTypeId": kind, "quantity": self._dice.choice(BLOCKS)} for kind in kinds]
        return show, {"eventId": show.id, "lines": lines}

    def _buy(self, at: float, *, hold: bool) -> None:
        show, order = self._order(at)
        if hold:
            seconds = self._dice.choice(HOLDS_S)
            order |= {"hold": True} | ({"holdSeconds": seconds} if seconds else {})
        buyer = self._dice.choice(self.catalogue.buyers).id
        key = f"k{self._dice.getrandbits(48):x}"
        self._made.append(Bought(show.id, str(uuid5(UUID(buyer), key)), buyer, order, key))
        self._purchase(at, "hold" if hold else "buy", self._made[-1])
        if self._dice.random() < 0.1:
            self._purchase(at + self._dice.choice((0.0, 0.01, 0.3, 2.0)), "again", self._made[-1])

    def _purchase(self, at: float, name: str, made: Bought, body: Json | None = None) -> None:
        more = {"method": "POST", "path": "/purchases", "who": made.account, "key": made.key}
        self._add(at, "ask", name, body=body or made.order, **more)

    def _again(self, at: float) -> None:
        self._purchase(at, "again", self._dice.choice(self._made))

    def _other_body(self, at: float) -> None:
        made = self._dice.choice(self._made)
        lines = [line | {"quantity": line["quantity"] + 5} for line in made.order["lines"]]
        self._purchase(at, "other-body", made, made.order | {"lines": lines})

    def _about(self, at: float, deed: str) -> None:
        made = self._dice.choice(list(self._made)[-60:])
        more: Json = {"path": f"/purchases/{made.event}.{made.purchase}/{deed}", "who": made.account}
        if deed == "cancel":
            more["body"] = {}
            if self._dice.random() < 0.5:
                more["body"] = {"lines": [made.order["lines"][0] | {"quantity": 1}]}
                more["key"] = f"c{self._dice.getrandbits(48):x}"
        for _ in range(self._dice.choice((1, 1, 2))):
            self._add(at, "ask", deed, method="POST", **more)

    def _read(self, at: float) -> None:
        made = self._dice.choice(self._made)
        wait = self._dice.choice(("", "?wait=1"))
        path = f"/purchases/{made.event}.{made.purchase}{wait}"
        self._add(at, "ask", "read", method="GET", path=path, who=made.account)

    def _intrude(self, at: float) -> None:
        """Somebody tries what is another's."""
        made = self._dice.choice(self._made)
        other = self._dice.choice([buyer.id for buyer in self.catalogue.buyers if buyer.id != made.account])
        where = f"/purchases/{made.event}.{made.purchase}"
        show, order = self._order(at)
        method, path, body, key, who = self._dice.choice(
            (
                ("GET", where, None, "", other),
                ("POST", f"{where}/cancel", {}, "", other),
                ("POST", f"{where}/confirm", None, "", other),
                ("POST", "/purchases", order | {"accountId": made.account}, "theirs", other),
                ("GET", f"/accounts/{made.account}/purchases", None, "", other),
                ("GET", f"/accounts/{made.account}", None, "", other),
                ("PATCH", f"/events/{show.id}", {"title": "Mine now"}, "", other),
                ("GET", where, None, "", ""),
                ("GET", f"/events/{self._dice.choice(self.catalogue.drafts).id}", None, "", other),
            )
        )
        self._add(at, "ask", "intrude", method=method, path=path, body=body, key=key, who=who)

    # organizers

    def _organize(self, at: float, name: str, show: Show, method: str, path: str, body: Json | None) -> None:
        self._add(at, "ask", name, method=method, path=path, body=body, who=show.organizer, roles=("organizer",))

    def _change(self, at: float) -> None:
        shows = [show for show in self.catalogue.shows if show.at + 8 < at and self._status[show.id] != "CANCELED"]
        if not shows:
            return
        show, dice = self._dice.choice(shows), self._dice.random()
        if dice < 0.25:
            self._organize(at, "change", show, "PATCH", f"/events/{show.id}", {"title": f"{WORD} {at:.2f}"})
        elif dice < 0.45:
            self._organize(at, "change", show, "PATCH", f"/events/{show.id}", {"venue": f"Hall {at:.2f}"})
        elif dice < 0.75:
            kind = self._dice.choice(list(show.quantities))
            quantity = max(1, self._stock[show.id][kind] + self._dice.choice((-20, 10, 30, 60)))
            self._stock[show.id][kind] = quantity
            self._organize(at, "change", show, "PATCH", f"/tickets/{kind}", {"quantity": quantity})
        elif dice < 0.9:
            status = "POSTPONED" if self._status[show.id] == "ACTIVE" else "ACTIVE"
            self._publish(at, show, status)
            self._publish(at + 5, show, "ACTIVE")
        elif len(shows) > 4:
            self._publish(at, show, "CANCELED")

    def _publish(self, at: float, show: Show, status: str) -> None:
        self._status[show.id] = status
        self._organize(at, "status", show, "PUT", f"/events/{show.id}/status", {"status": status})

    # the log

    def _command(self, at: float) -> None:
        dice = self._dice.random()
        made = self._by_log or self._made
        if dice < 0.7 or not made:
            self._order_by_log(at)
            return
        old = self._dice.choice(list(made)[-60:])
        about = {"event": old.event, "purchase": old.purchase, "account": old.account}
        kind = self._dice.choice(("confirm", "cancel", "expire"))
        if kind == "expire":
            about.pop("account")
        if kind == "cancel" and self._dice.random() < 0.5:
            self._part(at, old, {"kind": kind, **about})
            return
        self._append(at, old.event, {"kind": kind, **about})

    def _part(self, at: float, old: Bought, body: Json) -> None:
        """Give back one ticket, and some time later once more by the same bytes."""
        body |= {"request": str(UUID(int=self._dice.getrandbits(128), version=4)), "lines": _one_of(old)}
        self._append(at, old.event, body)
        if self._dice.random() < 0.4:
            self._append(at + self._dice.choice((0.01, 0.3, 2.0)), old.event, body)

    def _order_by_log(self, at: float) -> None:
        made, body = self._new_order(at)
        self._by_log.append(made)
        self._append(at, made.event, body)

    def _new_order(self, at: float) -> tuple[Bought, Json]:
        show, order = self._order(at)
        buyer, hold = self._dice.choice(self.catalogue.buyers).id, self._dice.random() < 0.25
        purchase = str(UUID(int=self._dice.getrandbits(128), version=4))
        lines = [{"ticketType": line["ticketTypeId"], "quantity": line["quantity"]} for line in order["lines"]]
        body: Json = {"kind": "hold" if hold else "purchase", "event": show.id, "purchase": purchase}
        body |= {"account": buyer, "lines": lines}
        if hold:
            body["seconds"] = self._dice.choice(HOLDS_S) or USUAL_HOLD_S
            body["byDefault"] = self._dice.random() < 0.2
        return Bought(show.id, purchase, buyer, order, ""), body

    def _append(self, at: float, event: str, body: Json) -> None:
        astray = self._dice.random() < 0.05
        partition = self._dice.randrange(self._partitions) if astray else self._home(event)
        times = self._dice.choice((1, 1, 1, 1, 2))
        how = self._dice.choices(({}, {"codec": self._dice.choice(CODECS)}, {"ends": "commit"}), (80, 12, 8))[0]
        more: Json = {"topic": "ticket-commands", "key": event, "value": json.dumps(body), "partition": partition}
        self._add(at, "append", "command", times=times, **more, **how)

    def _abort(self, at: float) -> None:
        """A purchase that never was."""
        made, body = self._new_order(at)
        more: Json = {"topic": "ticket-commands", "key": made.event, "value": json.dumps(body), "ends": "abort"}
        self._add(at, "append", "aborted", partition=self._home(made.event), **more)

    def _home(self, event: str) -> int:
        """The partition of an event: Kafka's default."""
        return int((murmur2(event.encode()) & 0x7FFFFFFF) % self._partitions)

    # noise

    def _poison(self, at: float) -> None:
        topic = self._dice.choice(POISONED)
        mark = f"{self._dice.getrandbits(64):x}"
        value = self._dice.choice(POISONS).format(mark)
        partition = self._dice.randrange(self._partitions)
        key = str(UUID(int=self._dice.getrandbits(128), version=4))
        if topic == POISONED[0] and self._by_log and self._dice.random() < 0.5:
            # Where it belongs, and of a purchase that is there: only its request is missing.
            old = self._dice.choice(self._by_log)
            about = {"event": old.event, "purchase": old.purchase, "account": old.account}
            value = json.dumps({"kind": "cancel", **about, "lines": _one_of(old), "mark": mark})
            key, partition = old.event, self._home(old.event)
        if topic == UNGATHERED[0] and self._dice.random() < 0.4:
            value = ODD_ROW.format(mark, key)
        more: Json = {"topic": topic, "key": key, "value": value, "partition": partition, "headers": {"mark": mark}}
        if topic in UNGATHERED and self._dice.random() < 0.3:
            more["odd_header"] = ODD_NAME
        self._add(at, "append", "poison", **more)

    def _bomb(self, at: float) -> None:
        """A record that is small on the wire and large to whoever unpacks it."""
        topic, partition = self._dice.choice(UNGATHERED), self._dice.randrange(self._partitions)
        key = str(UUID(int=self._dice.getrandbits(128), version=4))
        packed: Json = {"zeros": BOMB_BYTES, "codec": self._dice.choice(("gzip", "zstd"))}
        self._add(at, "append", "bomb", topic=topic, key=key, value=key, partition=partition, **packed)

    def _copy(self, at: float) -> None:
        topic, partition = self._dice.choice(COPIED), self._dice.randrange(self._partitions)
        self._add(at, "copy", "copy", topic=topic, partition=partition, share=self._dice.random())


def _one_of(made: Bought) -> list[Json]:
    """One ticket of a purchase's first line, as a command names it."""
    return [{"ticketType": made.order["lines"][0]["ticketTypeId"], "quantity": 1}]

"""Records that must do no harm: unreadable ones, ones that unpack to megabytes, and copies of older ones."""

import json
from typing import Any, Final

from lab.chaos.workload.timeline import Timeline

Json = dict[str, Any]

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
    "payment-events",
    "payment-requests",
)
POISONS: Final = (
    "not JSON at all {0}",
    '{{"kind": "steal", "event": "{0}"}}',
    '{{"kind": "purchase", "event": "{0}", "purchase": 7, "id": 7, "__lsn": "x"}}',
    '["{0}"',
    "\x00\x01 {0}",
)
# An event that no document can be made of.
ODD_ROW: Final = (
    '{{"id": "{1}", "__lsn": 1, "title": "{0}", "status": "ACTIVE", "time_zone": "Mars/Phobos",'
    ' "starts_at": "2031-05-17T18:00:00Z", "ends_at": "2031-05-17T20:00:00Z"}}'
)
# The collector doesn't read these, so records that no client library can read may lie there.
UNREAD_TOPICS: Final = (
    "event_ticket_db.public.event",
    "event_ticket_db.public.account",
    "outbox.event.event_status",
    "notification-requests",
    "notification-log",
    "payment-events",
    "payment-requests",
)
ODD_NAME: Final = "e974e9"
BOMB_BYTES: Final = 40 * 2**20
# A record of these may come again at any time, and must then change nothing. Most outcomes are refusals, whose repeats
# could do no harm, so more of them are copied.
COPIED: Final = (
    "ticket-commands",
    *("ticket-purchase",) * 3,
    "event_ticket_db.public.event",
    "event_ticket_db.public.account",
    "outbox.event.event_status",
    "turnstile-ledger-changelog",
    "payment-events",
    "payment-requests",
    "turnstile-payments-changelog",
)


class Disturbers:
    """Poison, bombs and copies."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._rng = timeline.rng

    def poison(self, at: float) -> None:
        """Add a record that its reader makes a dead letter of."""
        topic = self._rng.choice(POISONED)
        mark = f"{self._rng.getrandbits(64):x}"
        value = self._rng.choice(POISONS).format(mark)
        partition = self._timeline.partition()
        key = self._timeline.uuid()
        if topic == POISONED[0] and self._timeline.by_log and self._rng.random() < 0.5:
            key, partition, value = self._cancel_without_request(mark)
        if topic == UNREAD_TOPICS[0] and self._rng.random() < 0.4:
            value = ODD_ROW.format(mark, key)
        more: Json = {"topic": topic, "key": key, "value": value, "partition": partition, "headers": {"mark": mark}}
        if topic in UNREAD_TOPICS and self._rng.random() < 0.3:
            more["odd_header"] = ODD_NAME
        self._timeline.add(at, "append", "poison", **more)

    def _cancel_without_request(self, mark: str) -> tuple[str, int, str]:
        """Key, partition and value of a partial cancel of a known purchase, on its partition, without its request."""
        old = self._rng.choice(self._timeline.by_log)
        value = json.dumps({"kind": "cancel", **old.ids, **old.one_ticket("ticketType"), "mark": mark})
        return old.event, self._timeline.home(old.event), value

    def bomb(self, at: float) -> None:
        """Add a record that is small on the wire and large when it is unpacked."""
        topic, partition = self._rng.choice(UNREAD_TOPICS), self._timeline.partition()
        key = self._timeline.uuid()
        packed: Json = {"zeros": BOMB_BYTES, "codec": self._rng.choice(("gzip", "zstd"))}
        self._timeline.add(at, "append", "bomb", topic=topic, key=key, value=key, partition=partition, **packed)

    def copy(self, at: float) -> None:
        """Add a copy of an older record."""
        topic, partition = self._rng.choice(COPIED), self._timeline.partition()
        self._timeline.add(at, "copy", "copy", topic=topic, partition=partition, share=self._rng.random())

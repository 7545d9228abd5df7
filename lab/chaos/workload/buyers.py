"""The requests of buyers, and of intruders among them.

The id of a purchase follows from its account and key, so a later request about it needs no answer first.
"""

from typing import Any, Final
from uuid import UUID, uuid5

from lab.chaos.workload.catalogue import HIDDEN, WORD
from lab.chaos.workload.payers import Payers
from lab.chaos.workload.timeline import Requested, Timeline

Json = dict[str, Any]

# None leaves the time to the operator's setting.
HOLDS_S: Final = (3, 6, 12, 20, None)
REPEATED_AFTER_S: Final = (0.0, 0.01, 0.3, 2.0)


class Buyers:
    """Purchases, holds, repeats, confirms, cancels, exchanges of seats, reads, searches."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._rng = timeline.rng
        self._payers = Payers(timeline)

    def ask(self, at: float) -> None:
        """Add a request of any sort."""
        draw = self._rng.random()
        if draw < 0.45 or not self._timeline.by_rest:
            self._buy(at, hold=False)
        elif draw < 0.58:
            self._buy(at, hold=True)
        elif draw < 0.66:
            self._purchase(at, "again", self._rng.choice(self._timeline.by_rest))
        elif draw < 0.68:
            self._other_body(at)
        elif draw < 0.75:
            self._change(at, "confirm")
        elif draw < 0.83:
            self._change(at, "cancel")
        elif draw < 0.86:
            self._exchange(at)
        elif draw < 0.92:
            self._read(at)
        elif draw < 0.96:
            self._search(at)
        else:
            self._intrude(at)

    def _buy(self, at: float, *, hold: bool) -> None:
        show, order = self._timeline.order(at)
        if hold:
            seconds = self._rng.choice(HOLDS_S)
            order |= {"hold": True} | ({"holdSeconds": seconds} if seconds else {})
        buyer = self._rng.choice(self._timeline.catalogue.buyers).id
        key = f"k{self._rng.getrandbits(48):x}"
        requested = Requested(show.id, str(uuid5(UUID(buyer), key)), buyer, order, key)
        self._timeline.by_rest.append(requested)
        self._purchase(at, "hold" if hold else "buy", requested)
        self._payers.follow(at, show, requested)
        if self._rng.random() < 0.1:
            self._purchase(at + self._rng.choice(REPEATED_AFTER_S), "again", requested)

    def _purchase(self, at: float, name: str, requested: Requested, body: Json | None = None) -> None:
        more = {"method": "POST", "path": "/purchases", "who": requested.account, "key": requested.key}
        self._timeline.add(at, "ask", name, body=body or requested.order, **more)

    def _other_body(self, at: float) -> None:
        """Another body under a key that was used."""
        requested = self._rng.choice(self._timeline.by_rest)
        lines = [line | {"quantity": line["quantity"] + 5} for line in requested.order["lines"]]
        self._purchase(at, "other-body", requested, requested.order | {"lines": lines})

    def _change(self, at: float, verb: str) -> None:
        requested = self._rng.choice(list(self._timeline.by_rest)[-60:])
        more: Json = {"path": f"{_path(requested)}/{verb}", "who": requested.account}
        if verb == "cancel":
            more["body"] = {}
            if self._rng.random() < 0.5:
                more["body"] = requested.one_ticket("ticketTypeId")
                more["key"] = f"c{self._rng.getrandbits(48):x}"
        for _ in range(self._rng.choice((1, 1, 2))):
            self._timeline.add(at, "ask", verb, method="POST", **more)

    def _exchange(self, at: float) -> None:
        """Another seat instead of one, sometimes asked for twice."""
        seated = [requested for requested in self._timeline.by_rest if requested.seats]
        if seated:
            requested = self._rng.choice(seated[-20:])
            body, key = self._timeline.exchange(requested), f"x{self._rng.getrandbits(48):x}"
            more: Json = {"path": f"{_path(requested)}/exchange", "who": requested.account, "body": body, "key": key}
            for _ in range(self._rng.choice((1, 1, 2))):
                self._timeline.add(at, "ask", "exchange", method="POST", **more)

    def _read(self, at: float) -> None:
        requested = self._rng.choice(self._timeline.by_rest)
        path = f"{_path(requested)}{self._rng.choice(('', '?wait=1'))}"
        self._timeline.add(at, "ask", "read", method="GET", path=path, who=requested.account)

    def _search(self, at: float) -> None:
        word = self._rng.choice((WORD, HIDDEN, "Gasworks"))
        self._timeline.add(at, "ask", "search", method="GET", path=f"/events/search?q={word}&limit=100")

    def _intrude(self, at: float) -> None:
        """A stranger asks for what belongs to another account."""
        requested = self._rng.choice(self._timeline.by_rest)
        owner, path = requested.account, _path(requested)
        stranger = self._rng.choice([buyer.id for buyer in self._timeline.catalogue.buyers if buyer.id != owner])
        show, order = self._timeline.order(at)
        method, path, body, key, who = self._rng.choice(
            (
                ("GET", path, None, "", stranger),
                ("POST", f"{path}/cancel", {}, "", stranger),
                ("POST", f"{path}/confirm", None, "", stranger),
                ("POST", "/purchases", order | {"accountId": owner}, "theirs", stranger),
                ("GET", f"/accounts/{owner}/purchases", None, "", stranger),
                ("GET", f"/accounts/{owner}", None, "", stranger),
                ("PATCH", f"/events/{show.id}", {"title": "Mine now"}, "", stranger),
                ("GET", path, None, "", ""),
                ("GET", f"/events/{self._rng.choice(self._timeline.catalogue.drafts).id}", None, "", stranger),
            )
        )
        self._timeline.add(at, "ask", "intrude", method=method, path=path, body=body, key=key, who=who)


def _path(requested: Requested) -> str:
    return f"/purchases/{requested.event}.{requested.purchase}"

"""The buyers' payments at Paper, what they give back, what organizers refund, and money that these took themselves."""

from typing import Any, Final

from lab.chaos.workload.catalogue import Show
from lab.chaos.workload.timeline import Requested, Timeline

Json = dict[str, Any]

# What is pressed on Paper's page, one after the other. Without any the buyer leaves.
CHOICES: Final = ("approve", "approve", "approve", "approve", "decline approve", "decline", "delay", "lose", "")
# After the purchase was asked for: some holds have ended by then.
PAID_AFTER_S: Final = (0.2, 1.0, 3.0, 7.0)
GIVEN_BACK_AFTER_S: Final = (2.0, 4.0, 6.0)
UNPAID_SHARE: Final = 0.1
ELSEWHERE_SHARE: Final = 0.06
REFUNDED_AFTER_S: Final = (2.0, 4.0, 8.0)
REFUNDED_SHARE: Final = 0.3
# Of the refunds by organizers; the others are of one ticket. Some amounts are more than what was paid.
GOODWILL_SHARE: Final = 0.7
GOODWILL: Final = ("0.01", "1.50", "5.00", "12.00", "500.00")
PART_SHARE: Final = 0.3
WHOLE_SHARE: Final = 0.1
# How the reference of money begins that an organizer took.
ELSEWHERE: Final = "elsewhere-"


class Payers:
    """Adds what follows a purchase in an event that is paid online."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._rng = timeline.payers_rng

    def follow(self, at: float, show: Show, requested: Requested) -> None:
        """Add the payment of a purchase that was asked for at ``at``, and what is given back and refunded of it."""
        if not show.is_online or self._rng.random() < UNPAID_SHARE:
            return
        path = f"/purchases/{requested.event}.{requested.purchase}"
        paid_at = at + self._rng.choice(PAID_AFTER_S)
        if self._rng.random() < ELSEWHERE_SHARE:
            reference = f"{ELSEWHERE}{self._rng.getrandbits(48):x}"
            more: Json = {"who": show.organizer, "roles": ("organizer",), "body": {"reference": reference}}
            self._timeline.add(paid_at, "ask", "confirm-elsewhere", method="POST", path=f"{path}/confirm", **more)
            return
        more = {"method": "POST", "path": f"{path}/payment", "value": self._rng.choice(CHOICES)}
        self._timeline.add(paid_at, "pay", "pay", who=requested.account, **more)
        self._give_back(paid_at + self._rng.choice(GIVEN_BACK_AFTER_S), path, requested)
        self._refund(paid_at + self._rng.choice(REFUNDED_AFTER_S), path, show, requested)

    def _give_back(self, at: float, path: str, requested: Requested) -> None:
        draw, more = self._rng.random(), dict[str, Any](body={})
        if draw < PART_SHARE:
            more["body"] = requested.one_ticket("ticketTypeId")
            more["key"] = f"p{self._rng.getrandbits(48):x}"
        if draw < PART_SHARE + WHOLE_SHARE:
            more |= {"method": "POST", "path": f"{path}/cancel", "who": requested.account}
            self._timeline.add(at, "ask", "cancel", **more)

    def _refund(self, at: float, path: str, show: Show, requested: Requested) -> None:
        """The organizer refunds an amount for tickets that are kept, or one ticket, sometimes twice by one key."""
        if self._rng.random() >= REFUNDED_SHARE:
            return
        key, body = f"r{self._rng.getrandbits(48):x}", Json(reason="Chaos")
        if self._rng.random() < GOODWILL_SHARE:
            body["amount"] = {"amount": self._rng.choice(GOODWILL), "currency": "EUR"}
        else:
            body["lines"] = [requested.order["lines"][0] | {"quantity": 1}]
        more = {"method": "POST", "path": f"{path}/refunds", "body": body, "key": key}
        for later_s in (0.0, 3.0) if self._rng.random() < PART_SHARE else (0.0,):
            self._timeline.add(at + later_s, "refund", "refund", who=show.organizer, roles=("organizer",), **more)

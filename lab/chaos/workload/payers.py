"""The buyers' payments at Paper, what they give back afterwards, and organizers who took the money themselves."""

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
        """Add the payment of a purchase that was asked for at ``at``, and what is given back of it."""
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

    def _give_back(self, at: float, path: str, requested: Requested) -> None:
        draw, more = self._rng.random(), dict[str, Any](body={})
        if draw < PART_SHARE:
            more["body"] = requested.one_ticket("ticketTypeId")
            more["key"] = f"p{self._rng.getrandbits(48):x}"
        if draw < PART_SHARE + WHOLE_SHARE:
            more |= {"method": "POST", "path": f"{path}/cancel", "who": requested.account}
            self._timeline.add(at, "ask", "cancel", **more)

"""Purchases over REST, from a load process of its own: what they cost, how long they take, what a burst does.

Every buyer has just signed in, so each request brings a token that the API has not seen. Latencies are counted
from the moment that a request was meant to be sent.
"""

from typing import Final

from bench.cpu import SERVER_ROLES
from bench.lab import Figures, Lab, Measurement
from bench.orders import Show
from bench.restsite import Loaded, Site, site

EVENTS: Final = 64
STOCK: Final = 10_000_000
CONNECTIONS: Final = 512
WARM_UP: Final = 2_000
PURCHASES: Final = 20_000
BUYERS_FOR_A_TICKET: Final = 5
IDLE_RATE: Final = 10
IDLE_REQUESTS: Final = 300
OPEN_SHARE: Final = 0.6
OPEN_S: Final = 15
BURST_S: Final = 10
BURST_TIMES: Final = 5
BURST_CONNECTIONS: Final = 3_000
AFTER_S: Final = 15
ANSWERED: Final = frozenset({201, 202, 409, 429, 503})


class Unexpected(RuntimeError):
    """The answers are not what they have to be, so the figures would mean nothing."""


def many(lab: Lab) -> Figures:
    """All succeed, over 64 events."""
    loaded = _all_succeed(lab, EVENTS)
    return {
        "rest.purchases_per_server_cpu_s": loaded.per_server_cpu_s,
        **{f"rest.{role}_us": loaded.microseconds(role) for role in SERVER_ROLES},
    }


def hot(lab: Lab) -> Figures:
    """All succeed, of one event."""
    return {"rest.hot_purchases_per_server_cpu_s": _all_succeed(lab, 1).per_server_cpu_s}


def sell_out(lab: Lab) -> Figures:
    """One event sells out to five times as many buyers as it has tickets."""
    with site(lab) as running:
        _warm_up(lab, running)
        tickets = lab.count(PURCHASES // BUYERS_FOR_A_TICKET)
        [show] = running.put_on_sale(1, tickets)
        with lab.step(f"{tickets * BUYERS_FOR_A_TICKET:,} buyers of {tickets:,} tickets"):
            loaded = running.load([show], tickets * BUYERS_FOR_A_TICKET, CONNECTIONS)
        _check(loaded, {201: tickets, 409: tickets * (BUYERS_FOR_A_TICKET - 1)})
        return {"rest.sellout_answers_per_server_cpu_s": loaded.per_server_cpu_s}


def idle(lab: Lab) -> Figures:
    """Ten purchases a second and nothing else."""
    with site(lab) as running:
        _warm_up(lab, running)
        shows = running.put_on_sale(EVENTS, STOCK)
        running.load(shows, EVENTS, 16)
        with lab.step("10 purchases a second"):
            loaded = running.load(shows, lab.count(IDLE_REQUESTS), 16, IDLE_RATE)
        return {
            "rest.idle_p50_ms": loaded.report.milliseconds(0.50),
            "rest.idle_p99_ms": loaded.report.milliseconds(0.99),
        }


def crowd(lab: Lab) -> Figures:
    """The most that this machine sells a second, 60 % of that in an open loop, five times that for ten seconds."""
    with site(lab) as running:
        _warm_up(lab, running)
        shows = running.put_on_sale(EVENTS, STOCK)
        with lab.step("as many as possible"):
            hard = running.load(shows, lab.count(PURCHASES), CONNECTIONS)
            most = hard.report.rate()
        with lab.step(f"{OPEN_SHARE * most:,.0f} a second"):
            calm = running.load(shows, round(OPEN_SHARE * most * OPEN_S), CONNECTIONS, OPEN_SHARE * most)
        with lab.step(f"{BURST_TIMES * most:,.0f} a second for {BURST_S} s"):
            burst = running.load(shows, round(BURST_TIMES * most * BURST_S), BURST_CONNECTIONS, BURST_TIMES * most)
            after = running.load(shows, round(OPEN_SHARE * most * AFTER_S), CONNECTIONS, OPEN_SHARE * most)
        _check_sold(running, shows, [hard, calm, burst, after])
        lab.series["rest.burst"] = [list(map(list, _by_second(each))) for each in (burst, after)]
        return {
            "rest.most_per_s": most,
            "rest.open_loop_p99_ms": calm.report.milliseconds(0.99),
            "rest.burst_unanswered": sum(
                count for status, count in burst.report.statuses().items() if status not in ANSWERED
            ),
            "rest.burst_p99_ms": burst.report.milliseconds(0.99),
            "rest.after_burst_p99_ms": after.report.milliseconds(0.99, since=AFTER_S - 5),
        }


def _all_succeed(lab: Lab, events: int) -> Loaded:
    with site(lab) as running:
        _warm_up(lab, running)
        shows = running.put_on_sale(events, STOCK)
        running.load(shows, lab.count(WARM_UP), CONNECTIONS)
        count = lab.count(PURCHASES)
        with lab.step(f"{count:,} purchases of {events} events"):
            loaded = running.load(shows, count, CONNECTIONS)
        _check(loaded, {201: count})
        return loaded


def _warm_up(lab: Lab, running: Site) -> None:
    with lab.step("warming up"):
        running.load(running.put_on_sale(EVENTS, STOCK), lab.count(WARM_UP), CONNECTIONS)


def _check(loaded: Loaded, wanted: dict[int, int]) -> None:
    statuses = loaded.report.statuses()
    if statuses != wanted:
        raise Unexpected(f"answered with {dict(statuses)}, where {wanted} has to come")


def _check_sold(running: Site, shows: list[Show], loads: list[Loaded]) -> None:
    """Who got 201 has a ticket, who got 202 or no word may have one, and nobody has two."""
    bought = sum(loaded.report.statuses()[201] for loaded in loads)
    perhaps = sum(loaded.report.statuses()[status] for loaded in loads for status in (0, 202, 503))
    sold = sum(running.sold(show) for show in shows)
    if not bought <= sold <= bought + perhaps:
        raise Unexpected(f"{sold:,} tickets are sold to {bought:,} buyers and perhaps {perhaps:,} more")


def _by_second(loaded: Loaded) -> list[tuple[int, int, float]]:
    """Second, answers meant for it, the longest of them in ms."""
    seconds: dict[int, list[float]] = {}
    for answer in loaded.report.answers:
        seconds.setdefault(int(answer.at), []).append(answer.seconds)
    return [(second, len(taken), 1000 * max(taken)) for second, taken in sorted(seconds.items())]


MEASUREMENTS: Final = (
    Measurement("rest.many", "purchases over REST, 64 events, all succeed", many),
    Measurement("rest.hot", "the same, one event", hot),
    Measurement("rest.sellout", "one event, five buyers for each ticket", sell_out),
    Measurement("rest.idle", "ten purchases a second", idle),
    Measurement("rest.crowd", "open loop at 60 % of the most, and a burst of five times that", crowd),
)

"""Purchases over REST, from a load process of its own: what they cost, how long they take, what a burst does.

Every buyer has just signed in, so each request brings a token that the API has not seen. Latencies are counted
from the moment that a request was meant to be sent.
"""

from collections import Counter
from typing import Final

from lab.bench.cpu import SERVER_ROLES
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import Show
from lab.bench.rest_load import Sent
from lab.bench.rest_site import Loaded, Site, site

EVENTS: Final = 64
STOCK: Final = 10_000_000
CONNECTIONS: Final = 512
WARM_UP_COUNT: Final = 20_000
PURCHASES: Final = 20_000
BUYERS_PER_TICKET: Final = 5
IDLE_PER_S: Final = 10
IDLE_REQUESTS: Final = 300
CALM_SHARE: Final = 0.6
LOAD_SHARES: Final = (0.2, 0.4, CALM_SHARE, 0.8, 1.0, 1.2)
STAGE_S: Final = 12
BURST_S: Final = 10
BURST_FACTOR: Final = 5
BURST_CONNECTIONS: Final = 3_000
AFTER_S: Final = 15
SOLD: Final = 201
ANSWERED: Final = frozenset({201, 202, 409, 429, 503})


class Unexpected(RuntimeError):
    """The answers are wrong, so the figures would mean nothing."""


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
        tickets = lab.count(PURCHASES // BUYERS_PER_TICKET)
        [show] = running.put_on_sale(1, tickets)
        with lab.step(f"{tickets * BUYERS_PER_TICKET:,} buyers of {tickets:,} tickets"):
            loaded = running.load([show], tickets * BUYERS_PER_TICKET, CONNECTIONS)
        check(loaded, {SOLD: tickets, 409: tickets * (BUYERS_PER_TICKET - 1)})
        return {"rest.sellout_answers_per_server_cpu_s": loaded.per_server_cpu_s}


def idle(lab: Lab) -> Figures:
    """Ten purchases a second and nothing else."""
    with site(lab) as running:
        _warm_up(lab, running)
        shows = running.put_on_sale(EVENTS, STOCK)
        running.load(shows, EVENTS, 16)
        with lab.step("10 purchases a second"):
            loaded = running.load(shows, lab.count(IDLE_REQUESTS), 16, IDLE_PER_S)
        lab.series["rest.idle"] = sorted(1000 * answer.seconds for answer in loaded.report.answers)
        return {
            "rest.idle_p50_ms": loaded.report.milliseconds(0.50),
            "rest.idle_p99_ms": loaded.report.milliseconds(0.99),
        }


def crowd(lab: Lab) -> Figures:
    """The most that this machine sells a second, shares of that in open loops, five times that for ten seconds."""
    with site(lab) as running:
        _warm_up(lab, running)
        shows = running.put_on_sale(EVENTS, STOCK)
        with lab.step("as many as possible"):
            hard = running.load(shows, lab.count(PURCHASES), CONNECTIONS)
            most = hard.report.rate()
        stages = {share: _stage(lab, running, shows, share * most) for share in LOAD_SHARES}
        with lab.step(f"{BURST_FACTOR * most:,.0f} a second for {BURST_S} s"):
            burst = running.load(shows, round(BURST_FACTOR * most * BURST_S), BURST_CONNECTIONS, BURST_FACTOR * most)
            after = running.load(shows, round(CALM_SHARE * most * AFTER_S), CONNECTIONS, CALM_SHARE * most)
        _check_sold(running, shows, [hard, *stages.values(), burst, after])
        lab.series["rest.load"] = [_offered(share * most, loaded) for share, loaded in stages.items()]
        lab.series["rest.burst"] = _by_second(burst)
        return {
            "rest.most_per_s": most,
            "rest.open_loop_p99_ms": stages[CALM_SHARE].report.milliseconds(0.99),
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
        running.load(shows, lab.count(WARM_UP_COUNT), CONNECTIONS)
        count = lab.count(PURCHASES)
        with lab.step(f"{count:,} purchases of {events} events"):
            loaded = running.load(shows, count, CONNECTIONS)
        check(loaded, {SOLD: count})
        return loaded


def _warm_up(lab: Lab, running: Site) -> None:
    with lab.step("warming up"):
        running.load(running.put_on_sale(EVENTS, STOCK), lab.count(WARM_UP_COUNT), CONNECTIONS)


def check(loaded: Loaded, wanted: dict[int, int]) -> None:
    """Raise Unexpected unless so many answers had each of these statuses, and no other."""
    statuses = loaded.report.statuses()
    if statuses != wanted:
        reasons = Counter(answer.reason for answer in loaded.report.answers if answer.reason)
        raise Unexpected(f"answered with {dict(statuses)} {dict(reasons)}, where {wanted} has to come")


def _check_sold(running: Site, shows: list[Show], loads: list[Loaded]) -> None:
    """A 201 is a ticket; a 202 or no answer may be one; nobody has two."""
    bought = sum(loaded.report.statuses()[SOLD] for loaded in loads)
    perhaps = sum(loaded.report.statuses()[status] for loaded in loads for status in (0, 202, 503))
    sold = sum(running.sold(show) for show in shows)
    if not bought <= sold <= bought + perhaps:
        raise Unexpected(f"{sold:,} tickets are sold to {bought:,} buyers and perhaps {perhaps:,} more")


def _stage(lab: Lab, running: Site, shows: list[Show], rate: float) -> Loaded:
    with lab.step(f"{rate:,.0f} a second"):
        return running.load(shows, round(rate * STAGE_S), CONNECTIONS, rate)


def _offered(rate: float, loaded: Loaded) -> dict[str, float]:
    """At an offered rate: purchases sold a second, and latencies in ms."""
    report = loaded.report
    return {
        "offered": rate,
        "sold": report.rate() * report.statuses()[SOLD] / len(report.answers),
        "p50": report.milliseconds(0.50),
        "p99": report.milliseconds(0.99),
    }


def _by_second(loaded: Loaded) -> list[dict[str, float]]:
    """By the second that requests were meant for: how many bought something, how many not, the slowest."""
    seconds: dict[int, list[Sent]] = {}
    for answer in loaded.report.answers:
        seconds.setdefault(int(answer.at), []).append(answer)
    return [
        {
            "second": second,
            "sold": sum(answer.status == SOLD for answer in meant),
            "refused": sum(answer.status != SOLD for answer in meant),
            "longest_ms": 1000 * max(answer.seconds for answer in meant),
        }
        for second, meant in sorted(seconds.items())
    ]


MEASUREMENTS: Final = (
    Measurement("rest.many", "purchases over REST, 64 events, all succeed", many),
    Measurement("rest.hot", "the same, one event", hot),
    Measurement("rest.sellout", "one event, five buyers for each ticket", sell_out),
    Measurement("rest.idle", "ten purchases a second", idle),
    Measurement(
        "rest.crowd", "as many as possible, open loops of 20 to 120 % of that, a burst of five times that", crowd
    ),
)

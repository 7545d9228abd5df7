"""Promises 1, 3 and 4 for seats: clients, PostgreSQL, API and views agree with the checker's own map of the halls."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID, uuid5

from lab.chaos.checks.answers import place, problem
from lab.chaos.checks.case import Case
from lab.chaos.checks.finding import Finding, Findings
from lab.chaos.seat_map import bits_of, seats_in

Json = dict[str, Any]

OPEN: Final = ("held", "confirmed")
ANSWERED: Final = ("buy", "hold", "again", "confirm", "cancel", "exchange")
# A record's time is in whole milliseconds, and taken before the answer.
CLOCK_TOLERANCE_S: Final = 0.05
# Answers after which a plan may be in force: one that did not come is not known.
MAY_BE_PUT: Final = frozenset({0, 200, 500, 502, 503, 504})
# What a change of the plan must keep of a seat.
KEPT: Final = ("category", "x", "y")


def check(case: Case) -> Findings:
    """Compare all that was said of seats with the map."""
    yield from _answers(case)
    yield from _exchanges(case)
    yield from _lists(case)
    yield from _rows(case)
    yield from _shown(case)
    yield from _views(case)
    yield from _refused_plans(case)
    yield from _plans(case)


def counts(case: Case) -> Counter[str]:
    """How much of it there was."""
    plans = Counter(problem(note) or "put" for note in case.notes("plan") if note["status"] in (200, 409))
    return Counter(
        {
            "seats held or sold in the end": len(case.audit.seat_map.holders),
            "seats ever held or sold": len(case.audit.seat_map.since),
            "purchases of seats": len(case.audit.seat_map.seats),
            "plans put during the run": plans["put"],
            "plans refused, since they would take sold seats away": plans["seats-taken"],
        }
    )


def _answers(case: Case) -> Findings:
    """An answer names seats that the purchase had at some time, all of them."""
    for note in case.notes(*ANSWERED, "read"):
        public = note["answer"].get("id", "")
        if note["status"] in (200, 201) and note["answer"].get("status") in OPEN and "." in public:
            named, states = seats_in(note["answer"]), case.audit.seat_map.seats.get(_ids(public), [])
            if named not in states and (named or states):
                yield Finding(3, f"{place(note)}: seats {sorted(named)} of {public}, which had {_texts(states)}")


def _exchanges(case: Case) -> Findings:
    """An exchange was answered as the log has decided it."""
    for note in case.notes("exchange"):
        operation = case.operations[note["n"]]
        event, purchase = _ids(operation["path"].split("/")[2])
        row = case.model.purchases.get((event, purchase))
        request = str(uuid5(UUID(purchase), f"exchange {operation['key']}"))
        told = row.requests.get(request) if row else None
        name = problem(note)
        if note["followed"] or note["status"] not in (200, 404, 409, 422) or name == "still-running":
            continue
        if note["status"] == 200:
            is_true = told is not None and told.kind in OPEN and set(told.seats) == seats_in(note["answer"])
        elif told is not None:
            is_true = told.reason == name or (note["status"] == 404 and _was_unknown(case, request, note["until"]))
        else:
            reasons = {"unknown-purchase", "not-yours"} if note["status"] == 404 else {name}
            is_true = any((event, purchase, each) in case.refusals for each in reasons)
        if not is_true:
            yield Finding(3, f"{place(note)}: the log says {told} of {event}.{purchase}")


def _was_unknown(case: Case, request: str, until: float) -> bool:
    """Whether the last command of a request until then came before its purchase; a later one may have done it."""
    appended = [reason for at, reason in case.changes.get(request, ()) if at <= until]
    return appended[-1:] == ["unknown-purchase"]


def _lists(case: Case) -> Findings:
    """In the lists of all buyers no seat stands twice, and every purchase has its seats."""
    owners: dict[tuple[str, str], str] = {}
    for note in [note for note in case.notes("closing") if note["status"] == 200]:
        for item in note["answer"].get("items", ()):
            event, purchase = _ids(item["id"])
            named = seats_in(item) if item["status"] in OPEN else frozenset()
            if named != case.audit.seat_map.seats_of(event, purchase):
                yield Finding(4, f"list of {note['who']}: {item['id']} has the seats {sorted(named)}")
            for seat in sorted(named):
                first = owners.setdefault((event, seat), purchase)
                if first != purchase:
                    yield Finding(1, f"lists of purchases: seat {seat} of {event} is of {first} and of {purchase}")


def _rows(case: Case) -> Findings:
    """Table purchase has every seat of every purchase."""
    for row in case.evidence.tables["purchase"]:
        named = seats_in(row) if row["status"] in OPEN else frozenset()
        should = case.audit.seat_map.seats_of(row["event_id"], row["id"])
        if named != should:
            text = f"table purchase, {row['event_id']}.{row['id']}: seats {sorted(named)}, should be {sorted(should)}"
            yield Finding(4, text)


def _shown(case: Case) -> Findings:
    """The seats that the API shows as taken are those that are."""
    for note in [note for note in case.notes("closing-seats") if note["status"] == 200]:
        event, answer = note["path"].split("/")[2], note["answer"]
        seats = case.audit.plans.seats(event, answer["plan"])
        taken = set(case.audit.seat_map.of_event(event)) & seats.keys()
        shown: set[str] = set()
        for section in answer["sections"]:
            names = [name for name, seat in seats.items() if seat["section"] == section["name"]]
            bits = bits_of(section["taken"])
            shown |= {name for number, name in enumerate(names) if bits >> number & 1}
            if len(names) != section["seats"]:
                yield Finding(4, f"seats of event {event}: section {section['name']} has {section['seats']} of them")
        for name in sorted(shown ^ taken):
            yield Finding(4, f"seats of event {event}: {name} is {'shown as taken' if name in shown else 'not shown'}")


def _views(case: Case) -> Findings:
    """The sections that the ledger's workers show have the seats that are held and sold."""
    for event, sections in case.evidence.sections.items():
        shown = dict(_viewed(case, event, sections or []))
        holders = case.audit.seat_map.of_event(event)
        should = {seat: holder.sold for seat, holder in holders.items()}
        for seat in sorted(shown.keys() | should.keys()):
            if shown.get(seat) is not should.get(seat):
                has, due = (_word(each.get(seat)) for each in (shown, should))
                yield Finding(4, f"view of the sections of {event}: seat {seat} is {has}, should be {due}")


def _viewed(case: Case, event: str, sections: list[Json]) -> Iterator[tuple[str, bool]]:
    for view in sections:
        for field, sold in (("heldSeats", False), ("soldSeats", True)):
            for name in case.audit.plans.named(event, view["plan"], view["section"], bits_of(view[field])):
                yield name, sold
        for each in view["removed"]:
            yield each["seat"], each["sold"]


def _refused_plans(case: Case) -> Findings:
    """A plan is refused because of seats that somebody had got, and that it would have changed."""
    halls = {show["id"]: show["hall"] for show in case.evidence.shows if show.get("hall")}
    for note in case.notes("plan"):
        if problem(note) != "seats-taken":
            continue
        event, put = note["path"].split("/")[2], _of_body(case.operations[note["n"]]["body"])
        others = [_of_body(plan) for plan in halls[event]["plans"]]
        if not note["answer"].get("seats"):
            yield Finding(4, f"{place(note)}: the plan was refused without the name of a seat")
        for seat in note["answer"].get("seats", ()):
            since = case.audit.seat_map.since.get((event, seat))
            if since is None or since / 1000 > note["until"] + CLOCK_TOLERANCE_S:
                yield Finding(4, f"{place(note)}: the plan was refused for seat {seat}, which nobody had")
            if all(plan.get(seat, put.get(seat)) == put.get(seat) for plan in others):
                yield Finding(4, f"{place(note)}: the plan was refused for seat {seat}, which is as it always was")


def _plans(case: Case) -> Findings:
    """Nothing of a refused plan is in the log: each one there is a plan that was put, as a whole."""
    put: dict[str, list[Json]] = {show["id"]: [] for show in case.evidence.shows}
    for show in case.evidence.shows:
        if show.get("hall"):
            put[show["id"]].append(_of_body(show["hall"]["plans"][0]))
    for note in case.notes("plan"):
        if note["status"] in MAY_BE_PUT:
            put[note["path"].split("/")[2]].append(_of_body(case.operations[note["n"]]["body"]))
    for event, bodies in put.items():
        for number in case.audit.plans.numbers(event):
            seats = case.audit.plans.seats(event, number)
            if {name: {field: seat[field] for field in KEPT} for name, seat in seats.items()} not in bodies:
                yield Finding(4, f"plan {number} of event {event} was never put as it is in the log")


def _of_body(body: Json) -> Json:
    """What a body that puts a plan says of each seat."""
    return {
        f"{section['name']}-{row['label']}-{seat['label']}": {
            "category": seat.get("category", section["category"]),
            "x": seat["x"],
            "y": seat["y"],
        }
        for section in body["sections"]
        for row in section.get("rows", ())
        for seat in row["seats"]
    }


def _ids(public: str) -> tuple[str, str]:
    event, _, purchase = public.partition(".")
    return event, purchase


def _texts(states: list[frozenset[str]]) -> list[list[str]]:
    return [sorted(state) for state in states]


def _word(sold: bool | None) -> str:
    return "free" if sold is None else "sold" if sold else "held"

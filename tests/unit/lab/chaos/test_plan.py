"""A seed makes the same load and the same faults again, and in time everything has its turn."""

from collections import Counter

from lab.chaos.links import LINKS
from lab.chaos.plan import CODECS, POISONED, Plan
from lab.chaos.schedule import PROCESSES, WITH_TABLES, Deed, link_faults, process_faults

NAMES = [str(link) for link in LINKS]


def test_a_seed_makes_the_same_load_again_and_another_seed_another() -> None:
    assert Plan(5, 30, 4).acts == Plan(5, 30, 4).acts
    assert Plan(5, 30, 4).acts != Plan(6, 30, 4).acts
    assert Plan(5, 30, 4).catalogue.shows == Plan(5, 30, 4).catalogue.shows


def test_acts_come_in_the_order_of_their_times_each_with_a_number_of_its_own() -> None:
    acts = Plan(5, 60, 4).acts
    assert [act.at for act in acts] == sorted(act.at for act in acts)
    assert len({act.n for act in acts}) == len(acts)


def test_no_event_is_bought_before_it_is_made() -> None:
    plan = Plan(5, 120, 4)
    made = {show.id: show.at for show in plan.catalogue.shows}
    assert all(act.at > made[act.body["eventId"]] for act in plan.acts if act.name == "buy" and act.body)


def test_ten_minutes_have_everything_that_can_be_done() -> None:
    acts = Plan(5, 600, 4).acts
    assert {act.name for act in acts} == {
        "buy", "hold", "again", "other-body", "confirm", "cancel", "read", "search", "intrude",
        "make-event", "change", "status", "command", "aborted", "poison", "bomb", "copy",
    }  # fmt: skip
    assert {act.topic for act in acts if act.name == "poison"} == set(POISONED)
    assert any(act.times > 1 for act in acts)
    assert any(act.partition is not None for act in acts if act.name == "command")
    assert {act.codec for act in acts if act.name == "command"} == {"", *CODECS}
    assert {act.ends for act in acts if act.name == "command"} == {"", "commit"}
    assert {act.ends for act in acts if act.name == "aborted"} == {"abort"}
    assert any(act.odd_header for act in acts if act.name == "poison")
    assert any("Mars" in (act.value or "") for act in acts if act.name == "poison")
    holds = [act for act in acts if act.name == "hold" and act.body]
    assert {bool((act.body or {}).get("holdSeconds")) for act in holds} == {True, False}
    parts = [act.value for act in acts if act.name == "command" and act.value and '"request"' in act.value]
    assert len(set(parts)) < len(parts)
    assert any(act.key and act.body for act in acts if act.name == "cancel")
    assert any('"cancel"' in (act.value or "") for act in acts if act.name == "poison")


def test_a_seed_makes_the_same_faults_again() -> None:
    assert process_faults(5, 300) == process_faults(5, 300) != process_faults(6, 300)
    assert link_faults(5, 300, NAMES) == link_faults(5, 300, NAMES) != link_faults(6, 300, NAMES)


def test_ten_minutes_do_every_deed_to_every_process() -> None:
    done = Counter((fault.deed, fault.victim) for fault in process_faults(5, 600))
    wanted = {(deed, name) for deed in (Deed.KILL, Deed.PAUSE, Deed.RESTART) for name in PROCESSES}
    assert done.keys() == wanted | {(Deed.FORGET, name) for name in WITH_TABLES}


def test_every_link_has_its_turn_and_no_fault_outlives_the_schedule() -> None:
    faults = link_faults(5, 600, NAMES)
    assert {fault.victim for fault in faults} == set(NAMES)
    assert all(fault.at + fault.seconds <= 600 for fault in faults)

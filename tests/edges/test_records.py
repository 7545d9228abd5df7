"""Whatever record the broker takes: it is used, set aside or passed over, and the next good one is used."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import pytest

from connect.topics import RETRIES
from tests.edges.attack import Attack, Sent, missing, problem_of
from tests.edges.inputs import Input, good, rows
from tests.edges.targets import REQUESTS, TARGETS, Target
from tests.eventually import eventually
from tests.pipeline import WORKERS

ROWS = rows()
PROMPT = [target for target in TARGETS if target.topic != RETRIES]
# Jobs that have to wait come back some seconds later.
WITHIN_S = 120.0


@dataclass(repr=False)
class Outcome:
    """What was sent, row by row, and the effects by topic once nothing was missing or the time was up.

    ``took`` is how long the good records that were sent after all of it had to wait (seconds), by topic.
    """

    took: dict[str, float]
    sent: dict[tuple[str, str], Sent]
    taken: dict[str, set[str]]


@pytest.fixture(scope="module")
def outcome(attack: Attack) -> Outcome:
    """All rows are sent at once; then a good record to each topic."""
    sent = attack.send_inputs(ROWS)
    took = attack.probe()
    print("\n".join(f"{topic}: the good record after all rows was taken in {took[topic]:.2f} s" for topic in took))
    with suppress(AssertionError):  # the rows tell which
        eventually(lambda: not missing(attack, ROWS, sent), within=WITHIN_S, pause=0.5)
    by_row = {(each.name, target.topic): one for (each, target), one in zip(ROWS, sent, strict=True)}
    return Outcome(took, by_row, {target.topic: attack.effects(target.topic) for target in TARGETS})


@pytest.mark.parametrize(("each", "target"), [pytest.param(*row, id=f"{row[0].name}-{row[1].topic}") for row in ROWS])
def test_a_record_is_used_or_set_aside(attack: Attack, outcome: Outcome, each: Input, target: Target) -> None:
    sent = outcome.sent[each.name, target.topic]

    assert problem_of(attack, each.on(target), sent, outcome.taken) == ""


def test_no_worker_ends_and_every_topic_is_read_on(attack: Attack, outcome: Outcome) -> None:
    assert attack.pids.keys() == set(WORKERS)
    assert attack.ended() == []
    assert outcome.took.keys() == {target.topic for target in TARGETS}


def test_every_request_has_one_answer(attack: Attack, outcome: Outcome) -> None:
    requests = [one for one in attack.sent if one.target.topic == REQUESTS]
    places = {f"{topic}[{partition}]@{offset}" for one in requests for topic, partition, offset in one.places()}

    def unanswered() -> set[str]:
        attack.follow()
        return places - attack.answered.keys()

    eventually(lambda: not unanswered(), within=WITHIN_S)
    assert len(places) > 50
    assert {place: count for place, count in attack.answered.items() if count != 1} == {}


def test_operators_can_look_at_every_dead_letter(attack: Attack, outcome: Outcome) -> None:
    assert outcome.sent
    listed = [json.loads(line) for line in dlq(attack, "list", "--json").splitlines()]
    places = {(line["topic"], line["partition"], line["offset"]) for line in listed}
    firsts = {(sent.target.topic, sent.partition, sent.offset) for sent in outcome.sent.values()}
    assert {origin for _, origin in attack.letters} & firsts <= places
    for name in {line["error"].partition(":")[0]: line["id"] for line in listed}.values():
        assert json.loads(dlq(attack, "show", name))["id"] == name


def dlq(attack: Attack, *arguments: str) -> str:
    """What the command line prints."""
    environment = os.environ | dict(attack.pipeline.stack.environment)
    argv = (sys.executable, "-m", "ops", "dlq", *arguments)
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("target", PROMPT, ids=lambda target: target.topic)
def test_the_next_good_record_does_not_have_to_wait(attack: Attack, target: Target) -> None:
    bad = next(each for each in ROWS if each[0].name == "bad header, bad value")[0]
    attack.send_inputs([(bad, target)])
    began = time.monotonic()
    mark = uuid4()
    [sent] = attack.send_all([(target, mark, good(target, attack.world, mark))])
    eventually(lambda: attack.is_taken(sent), within=20)
    print(f"{target.topic}: the next good record was taken in {time.monotonic() - began:.2f} s")

"""Records of chance: any bytes, keys, headers, sizes and codecs. None ends a worker, none keeps a good one waiting."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lab.chaos.record_batch import CODECS, RawRecord
from tests.edges.attack import Attack
from tests.edges.inputs import Input, Result
from tests.edges.targets import TARGETS, Target, World

EXAMPLES = 200
JSON_MAX_LEAVES = 8

names = st.binary(max_size=20) | st.sampled_from([b"dlq-topic", b"dlq-error", b"first-seen", b"traceparent", b"id"])
headers = st.lists(st.tuples(names, st.none() | st.binary(max_size=50)), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=JSON_MAX_LEAVES,
)


def fields_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every object or list within a JSON value, with the name or number of each of its members."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield value, name
        yield from fields_of(member)


class Change(NamedTuple):
    """A record of chance: any bytes, or the good record of a topic with a field of chance and some bytes cut off."""

    raw: bytes | None
    field: int
    value: Any
    cut: int
    key: bytes | None
    own_key: bool
    headers: Sequence[tuple[bytes, bytes | None]]

    def record(self, target: Target, world: World, mark: UUID) -> RawRecord:
        """The record for a topic; compacted ones take none without a key."""
        body = json.loads(target.value(world, mark))
        fields = list(fields_of(body))
        holder, name = fields[self.field % len(fields)]
        holder[name] = self.value
        changed = json.dumps(body).encode()
        value = self.raw if self.raw is not None else changed[: len(changed) - self.cut]
        own = self.own_key or (target.compact and self.key is None)
        return RawRecord(target.key(world, mark) if own else self.key, value, self.headers)


changes = st.builds(
    Change,
    raw=st.none() | st.binary(max_size=300),
    field=st.integers(0, 40),
    value=json_values,
    cut=st.sampled_from([0, 0, 0, 1, 7]),
    key=st.none() | st.binary(max_size=40),
    own_key=st.booleans(),
    headers=headers,
)
batches = st.tuples(st.sampled_from(TARGETS), st.lists(changes, min_size=1, max_size=4), st.sampled_from(list(CODECS)))


def test_no_record_of_chance_ends_a_worker(attack: Attack) -> None:
    rows: list[tuple[Input, Target]] = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(batches)
    def draw(drawn: tuple[Target, list[Change], str]) -> None:
        target, made, codec = drawn

        def records(target: Target, world: World, mark: UUID) -> list[RawRecord]:
            return [change.record(target, world, mark) for change in made]

        rows.append((Input("of chance", records, Result.ANY, codec), target))

    draw()
    sent = attack.send_inputs(rows)
    took = attack.probe()

    assert attack.ended() == []
    assert took.keys() == {target.topic for target in TARGETS}
    refused = [one.error for one in sent if one.offset is None]
    assert len(refused) < EXAMPLES / 10, refused

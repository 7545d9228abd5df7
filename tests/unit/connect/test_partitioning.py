"""The partition of a key, by the vectors that docs/kafka.md gives to authors of other clients."""

import re
from pathlib import Path

from aiokafka.partitioner import murmur2

from connect.partitioning import partition_of

PAGE = Path(__file__).parents[3] / "docs" / "kafka.md"
VECTORS = re.findall(r"^\| `([\w-]{36})` \| (-?\d+) \| (\d+) \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)


def test_the_vectors_on_the_page_are_ours() -> None:
    assert len(VECTORS) == 3
    for key, hashed, of_four, of_twelve in VECTORS:
        assert int.from_bytes(murmur2(key.encode()).to_bytes(4, "big"), "big", signed=True) == int(hashed)
        assert [partition_of(key.encode(), count) for count in (4, 12)] == [int(of_four), int(of_twelve)]


def test_the_vectors_tell_wrong_treatments_of_the_sign_apart() -> None:
    hashes = [int(hashed) for _, hashed, _, _ in VECTORS]
    assert [abs(each) % 4 for each in hashes] != [int(right) for _, _, right, _ in VECTORS]
    assert [each % 2**32 % 12 for each in hashes] != [int(right) for _, _, _, right in VECTORS]

"""Name-based ids, and the text of ids."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from tables.ids import id_bytes, name_based_id


@given(st.uuids(), st.text())
def test_a_name_has_the_id_that_python_gives_it(space: UUID, name: str) -> None:
    assert name_based_id(space, name) == uuid5(space, name)


@given(st.uuids())
def test_an_id_in_a_key_is_its_text(id_: UUID) -> None:
    assert id_bytes(id_) == str(id_).encode()

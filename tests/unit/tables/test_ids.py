"""Name-based ids, and the text of ids."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from tables.ids import id_bytes, name_based_id, text_of


@given(st.uuids(), st.text())
def test_a_name_has_the_id_that_python_gives_it(space: UUID, name: str) -> None:
    assert name_based_id(space, name) == uuid5(space, name)


@given(st.uuids())
def test_an_id_is_written_as_python_writes_it(id_: UUID) -> None:
    assert text_of(id_) == str(id_)
    assert id_bytes(id_) == str(id_).encode()

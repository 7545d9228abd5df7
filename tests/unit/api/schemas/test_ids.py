"""Ids as text."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from api.schemas.ids import text_of


@given(st.uuids())
def test_an_id_is_written_as_python_writes_it(id_: UUID) -> None:
    assert text_of(id_) == str(id_)

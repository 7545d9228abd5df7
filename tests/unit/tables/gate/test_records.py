"""What the table of the gate knows of a request, and for which requests it counts."""

from tables.gate.answered import Answered
from tables.gate.records import (
    PAGE_REQUESTS,
    RING_REQUESTS,
    QuotaRecord,
    RequestRecord,
    checked_key,
    decode_quota,
    encode_record,
    page_key,
)
from tables.ledger.records import record_offset
from tables.messages.request_origins import RequestOrigin

FIRST = RequestOrigin("t", 1, 5, 1_000)
LATER = RequestOrigin("t", 1, 5 + RING_REQUESTS, 9_000)
OF_ANOTHER_LOG = RequestOrigin("t", 1, 5, 2_000)


def test_a_place_in_the_ring_counts_only_for_the_request_itself() -> None:
    assert checked_key(FIRST) == checked_key(LATER)
    record = RequestRecord(FIRST.offset, FIRST.at_ms)
    assert [record.is_of(each) for each in (FIRST, LATER, OF_ANOTHER_LOG)] == [True, False, False]


def test_requests_are_checked_up_to_an_offset_and_a_time() -> None:
    known = QuotaRecord(5, 0, 1_000)
    requests = (FIRST, RequestOrigin("t", 1, 4, 1_000), RequestOrigin("t", 1, 6, 1_000), OF_ANOTHER_LOG)
    assert [known.covers(each) for each in requests] == [True, True, False, False]


def test_a_quota_of_an_earlier_version_covers_nothing_without_a_record() -> None:
    known = decode_quota(encode_record((5, 7)))
    assert known == QuotaRecord(5, 7)
    assert not known.covers(FIRST)


def test_a_request_is_answered_once_in_a_batch_and_after_it() -> None:
    stored: dict[bytes, bytes] = {}

    def pages(*origins: RequestOrigin) -> Answered:
        return Answered(lambda keys: list(map(stored.get, keys)), origins)

    neighbour, far = RequestOrigin("t", 1, 6, 1_000), RequestOrigin("t", 1, 5 + PAGE_REQUESTS, 1_000)
    elsewhere = RequestOrigin("t", 2, 5, 1_000)
    batch = [FIRST, FIRST, neighbour, far, elsewhere]
    answered = pages(*batch)
    assert [answered.add(each) for each in batch] == [True, False, True, True, True]
    stored |= answered.changed(70)
    assert set(map(record_offset, stored.values())) == {70}

    again = pages(*batch)
    assert not any(map(again.add, batch))
    assert again.changed(71) == {}

    later = pages(LATER, OF_ANOTHER_LOG)
    assert [later.add(each) for each in (OF_ANOTHER_LOG, LATER)] == [True, True]
    assert page_key(LATER) == page_key(FIRST)
    assert set(later.changed(72)) == {page_key(FIRST)}

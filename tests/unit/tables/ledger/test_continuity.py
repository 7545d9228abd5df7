"""Losses in a log, found from a reader's position and the log's bounds."""

import pytest

from tables.ledger.continuity import Cause, LogBounds, Loss, ReaderPosition, find_loss
from tables.ledger.records import DIGEST_BYTES, Watermark, decode_watermark, digest_of, encode_watermark

ONE, OTHER = b"1" * DIGEST_BYTES, b"2" * DIGEST_BYTES
NEW, READ = ReaderPosition(), ReaderPosition(1000)


@pytest.mark.parametrize(
    ("log", "place", "watermark"),
    [
        (LogBounds(0, 0), NEW, None),
        (LogBounds(0, 5000), NEW, None),
        (LogBounds(0, 5000), NEW, 900),
        (LogBounds(901, 5000), NEW, 900),
        (LogBounds(0, 1000), READ, None),
        (LogBounds(1000, 1000), READ, 999),
        (LogBounds(0, 2000), READ, 999),
        (LogBounds(0, 2000), READ, 1500),
        (LogBounds(1000, 2000), READ, 999),
        (LogBounds(1000, 2000), READ, 10),
    ],
)
def test_a_log_that_has_all_that_is_due_is_whole(log: LogBounds, place: ReaderPosition, watermark: int | None) -> None:
    mark = None if watermark is None else Watermark(watermark, ONE)
    assert find_loss(log, place, mark, ONE) is None


@pytest.mark.parametrize(
    ("log", "place", "watermark", "loss"),
    [
        # The reader was away for longer than records are kept.
        (LogBounds(1200, 2000), READ, None, Loss(Cause.EXPIRED, 1000, 1199)),
        (LogBounds(1200, 1200), READ, 999, Loss(Cause.EXPIRED, 1000, 1199)),
        # Its offsets were forgotten, too.
        (LogBounds(5000, 6000), NEW, 900, Loss(Cause.EXPIRED, 901, 4999)),
        # Nobody knows of any reader, and the log has lost its beginning.
        (LogBounds(5000, 6000), NEW, None, Loss(Cause.EXPIRED, 0, 4999)),
        # The log lost its end.
        (LogBounds(0, 950), READ, None, Loss(Cause.CUT, 950, 999)),
        (LogBounds(0, 950), READ, 999, Loss(Cause.CUT, 950, 999)),
        (LogBounds(0, 0), READ, 999, Loss(Cause.CUT, 0, 999)),
        # It lost what was decided and not committed yet.
        (LogBounds(0, 1100), READ, 1200, Loss(Cause.CUT, 1100, 1200)),
        (LogBounds(0, 1100), NEW, 1200, Loss(Cause.CUT, 1100, 1200)),
        # Somebody has set the group's offset, to the end, say.
        (LogBounds(0, 1000), READ, 900, Loss(Cause.PASSED, 901, 999)),
        (LogBounds(950, 2000), READ, 900, Loss(Cause.PASSED, 950, 999)),
    ],
)
def test_a_log_that_lacks_what_is_due_is_told_with_its_offsets(
    log: LogBounds, place: ReaderPosition, watermark: int | None, loss: Loss
) -> None:
    mark = None if watermark is None else Watermark(watermark, ONE)
    assert find_loss(log, place, mark, ONE) == loss


def test_other_bytes_at_the_last_decided_offset_tell_a_log_that_was_written_anew() -> None:
    assert find_loss(LogBounds(0, 2000), READ, Watermark(999, ONE), OTHER) == Loss(Cause.REWRITTEN, 999, 999)
    assert find_loss(LogBounds(0, 2000), NEW, Watermark(999, ONE), OTHER) == Loss(Cause.REWRITTEN, 999, 999)


def test_a_record_that_nobody_can_read_any_more_tells_nothing() -> None:
    assert find_loss(LogBounds(0, 2000), READ, Watermark(999, ONE), None) is None


def test_an_operator_answers_for_what_lies_before_the_offset_that_was_set() -> None:
    accepted = ReaderPosition(2000, accepted=True)
    assert find_loss(LogBounds(0, 2000), accepted, Watermark(999, ONE), OTHER) is None
    assert find_loss(LogBounds(2000, 2000), accepted, Watermark(999, ONE), None) is None


def test_an_operator_does_not_answer_for_what_comes_after_it() -> None:
    accepted = ReaderPosition(2000, accepted=True)
    assert find_loss(LogBounds(0, 2500), accepted, Watermark(2400, ONE), OTHER) == Loss(Cause.REWRITTEN, 2400, 2400)
    assert find_loss(LogBounds(0, 1999), accepted, None) == Loss(Cause.CUT, 1999, 1999)
    assert find_loss(LogBounds(2001, 2500), accepted, None) == Loss(Cause.EXPIRED, 2000, 2000)


def test_each_loss_is_told_in_words() -> None:
    assert "begins at offset 5000: offsets 901 to 4999 were deleted" in str(Loss(Cause.EXPIRED, 901, 4999))
    assert "ends at offset 950: offsets 950 to 999 were read" in str(Loss(Cause.CUT, 950, 999))
    assert "at offset 999 is not the one" in str(Loss(Cause.REWRITTEN, 999, 999))


def test_a_watermark_is_read_as_it_was_written() -> None:
    mark = Watermark(7, digest_of(b"k", b"v", 1))
    assert decode_watermark(encode_watermark(mark)) == mark


def test_a_digest_tells_keys_values_and_times_apart() -> None:
    told = {digest_of(b"k", b"v", 1), digest_of(b"k", b"v", 2), digest_of(b"kv", b"", 1), digest_of(None, b"kv", 1)}
    assert len(told) == 4
    assert {len(digest) for digest in told} == {DIGEST_BYTES}

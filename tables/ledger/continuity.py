"""Detects lost or rewritten records in a partition that a reader continues to read.

Compares the reader's position with the partition's begin and end offsets, and the last decided record with the one
that is there now. A loss names its cause and its offsets.
"""

from enum import StrEnum
from typing import NamedTuple

from tables.ledger.records import Watermark


class Cause(StrEnum):
    """EXPIRED: deleted before they were read; CUT: read, but the log ends before; REWRITTEN: replaced by others.

    PASSED: in the log, not decided, and before the committed offset, as where somebody has set that.
    """

    EXPIRED = "expired"
    CUT = "cut"
    REWRITTEN = "rewritten"
    PASSED = "passed"


class LogBounds(NamedTuple):
    """The offset of a partition's first record, and the offset of the next one to be appended."""

    begin: int
    end: int


class ReaderPosition(NamedTuple):
    """The offset to read next; None if nothing was committed.

    ``accepted``: an operator has set that offset and accepts the loss before it.
    """

    committed: int | None = None
    accepted: bool = False


class Loss(NamedTuple):
    """The cause of a loss, and its offsets from ``first`` to ``last``."""

    cause: Cause
    first: int
    last: int

    def __str__(self) -> str:
        """The loss as part of an error message."""
        offsets = f"offsets {self.first} to {self.last}"
        match self.cause:
            case Cause.EXPIRED:
                return f"the log begins at offset {self.last + 1}: {offsets} were deleted before they were read"
            case Cause.CUT:
                return f"the log ends at offset {self.first}: {offsets} were read, are lost, and will be given again"
            case Cause.PASSED:
                return f"{offsets} were passed over: the group's offset was set, or they hold no command"
        return f"the record at offset {self.first} is not the one that was read there: the log was rewritten"


def find_loss(
    log: LogBounds, position: ReaderPosition, watermark: Watermark | None = None, found: bytes | None = None
) -> Loss | None:
    """The loss in ``log`` for a reader at ``position`` that has decided everything up to ``watermark``; None if none.

    ``found`` is the digest of the record that is now at the watermark's offset; None if it can't be read.
    """
    committed, accepted = position
    if watermark is not None and accepted and watermark.offset < (committed or 0):
        watermark = None
    due = watermark.offset + 1 if watermark is not None else 0
    read = max(committed or 0, due)
    if read > log.end:
        return Loss(Cause.CUT, log.end, read - 1)
    if watermark is not None and found not in (None, watermark.digest):
        return Loss(Cause.REWRITTEN, watermark.offset, watermark.offset)
    begin = due if committed is None else committed
    if begin < log.begin:
        return Loss(Cause.EXPIRED, begin, log.begin - 1)
    if watermark is not None and begin > (first := max(due, log.begin)):
        return Loss(Cause.PASSED, first, begin - 1)
    return None

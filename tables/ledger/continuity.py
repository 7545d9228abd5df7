"""Whether a log still has what its reader has not read yet, and what it has read last.

Pure. A reader's place in a partition is compared with the partition's two ends and with the last record that was
decided. Three things can go wrong, and each is told with the offsets that it concerns.
"""

from enum import StrEnum
from typing import NamedTuple

from tables.ledger.watermark import Watermark


class Cause(StrEnum):
    """What has become of a log."""

    EXPIRED = "expired"
    CUT = "cut"
    REWRITTEN = "rewritten"


class Log(NamedTuple):
    """The offset of a partition's first record, and the one that the next record gets."""

    begin: int
    end: int


class Place(NamedTuple):
    """How far a reader has come: the offset to read next, None where nothing was committed.

    ``accepted``: an operator has set that offset and answers for what lies before it.
    """

    committed: int | None = None
    accepted: bool = False


class Loss(NamedTuple):
    """What is wrong with a log: the cause, and the offsets from ``first`` to ``last``."""

    cause: Cause
    first: int
    last: int

    def __str__(self) -> str:
        """The loss in words."""
        offsets = f"offsets {self.first} to {self.last}"
        match self.cause:
            case Cause.EXPIRED:
                return f"the log begins at offset {self.last + 1}: {offsets} were deleted before they were read"
            case Cause.CUT:
                return f"the log ends at offset {self.first}: {offsets} were read, are lost, and will be given again"
        return f"the record at offset {self.first} is not the one that was read there: the log was written anew"


def find_loss(log: Log, place: Place, watermark: Watermark | None = None, found: bytes | None = None) -> Loss | None:
    """What is wrong with ``log`` for a reader at ``place`` that has decided all up to ``watermark``; None if nothing.

    ``found`` is the digest of the record that lies at the watermark's offset now; None where nobody could read it.
    """
    committed, accepted = place
    if watermark is not None and accepted and watermark.offset < (committed or 0):
        watermark = None
    due = watermark.offset + 1 if watermark is not None else 0
    read = max(committed or 0, due)
    if read > log.end:
        return Loss(Cause.CUT, log.end, read - 1)
    if watermark is not None and found not in (None, watermark.digest):
        return Loss(Cause.REWRITTEN, watermark.offset, watermark.offset)
    begin = due if committed is None else committed
    return Loss(Cause.EXPIRED, begin, log.begin - 1) if begin < log.begin else None

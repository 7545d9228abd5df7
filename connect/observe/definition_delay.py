"""How long a change of an event takes at this moment from PostgreSQL's commit to the ledger."""

from typing import Final

from connect.client_options import ClientOptions
from connect.observe.ages import OldestRecords
from connect.observe.heartbeat import CaptureWatch
from connect.observe.lag import KafkaWatch

OUTBOX_CONNECTOR: Final = "turnstile-outbox"


class DefinitionDelay:
    """The age of what was captured last of the outbox, plus that of the oldest record that the ledger has not read.

    Raises KafkaError; the next call connects again.
    """

    def __init__(self, kafka: ClientOptions) -> None:
        self._log = KafkaWatch(kafka)
        self._oldest = OldestRecords(kafka)
        self._capture = CaptureWatch(kafka, [OUTBOX_CONNECTOR])

    def seconds(self) -> float:
        """An upper bound, without the fraction of a second that a change takes when nothing waits."""
        self._capture.look()
        state = self._log.look()
        lags = state.groups["ledger"].partition_lags
        waiting = {place: state.stable_ends[place] - lag for place, lag in lags.items() if lag}
        ages = self._oldest.ages(waiting)
        return self._capture.ages()[OUTBOX_CONNECTOR] + max(ages.values(), default=0.0)

    def close(self) -> None:
        self._log.close()
        self._oldest.close()
        self._capture.close()

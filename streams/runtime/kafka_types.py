"""The types of Faust and aiokafka that the capabilities handle, by the names that they import them by."""

from aiokafka.errors import KafkaError
from faust.types import TP

from connect.records.fetching import FetchedRecord as LogRecord
from connect.records.fetching import SkippedOffsets
from streams.runtime.message import Message

__all__ = ["TP", "KafkaError", "LogRecord", "Message", "SkippedOffsets"]

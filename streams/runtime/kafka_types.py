"""The types of Faust and aiokafka that the capabilities handle, by the names that they import them by."""

from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord as LogRecord
from faust.types import TP, Message

from connect.records.fetching import SkippedOffsets

__all__ = ["TP", "KafkaError", "LogRecord", "Message", "SkippedOffsets"]

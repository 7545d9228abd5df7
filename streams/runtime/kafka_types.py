"""The types of Faust and aiokafka that the capabilities handle, by the names that they import them by."""

from aiokafka.errors import KafkaError
from faust.types import TP, Message

from connect.records.fetching import SkippedOffsets

__all__ = ["TP", "KafkaError", "Message", "SkippedOffsets"]

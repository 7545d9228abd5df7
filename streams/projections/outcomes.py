"""The outcomes of a batch, as each of this role's agents reads them."""

from streams.runtime.failures import dead_letter
from streams.runtime.kafka_types import Message, Record
from tables.errors import MalformedRecord
from tables.messages.outcomes import Outcome, decode_checked_outcome


def read_outcomes(messages: list[Message], dead_letters: list[Record] | None = None) -> list[tuple[Message, Outcome]]:
    """The records with their outcomes. Malformed ones are left out; ``dead_letters`` gets a dead letter of each."""
    outcomes: list[tuple[Message, Outcome]] = []
    for message in messages:
        try:
            outcomes.append((message, _outcome_of(message)))
        except MalformedRecord as error:
            if dead_letters is not None:
                dead_letters.append(dead_letter(message, error))
    return outcomes


def _outcome_of(message: Message) -> Outcome:
    """The outcome in a record; the first agent decodes it, the others find it there. Raises MalformedRecord."""
    if not isinstance(message.decoded, Outcome):
        message.decoded = decode_checked_outcome(message.value)
    return message.decoded

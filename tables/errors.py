"""The errors of the pure core, as a tree:

TurnstileError
├── MalformedRecord      a record can't be decoded: it becomes a dead letter
│   ├── MalformedCommand
│   └── ForbiddenRequest
└── InvariantBroken      the state contradicts the ledger's rules: the process must stop
"""


class TurnstileError(Exception):
    """Base of all errors that Turnstile raises itself."""


class MalformedRecord(TurnstileError):
    """A record that can't be decoded, however often it is retried; the message names the field."""


class MalformedCommand(MalformedRecord):
    """A record of ``ticket-commands`` that is not a valid command."""


class ForbiddenRequest(MalformedRecord):
    """A request of a producer that is a command which only Turnstile itself may write."""


class InvariantBroken(TurnstileError):
    """The ledger's state or input contradicts its rules; further decisions would spread the damage."""

"""The errors of the pure part, as a tree:

TurnstileError
├── MalformedRecord      a record's bytes can't be read: dead letter
│   └── MalformedCommand
└── InvariantBroken      the state contradicts the ledger's rules: the process must end
"""


class TurnstileError(Exception):
    """Anything that Turnstile itself raises."""


class MalformedRecord(TurnstileError):
    """A record that no retry will make readable; the message names the field."""


class MalformedCommand(MalformedRecord):
    """A record of ``ticket-commands`` that is no command."""


class InvariantBroken(TurnstileError):
    """The ledger's state or its input contradicts its rules; deciding on would make it worse."""

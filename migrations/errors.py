"""The errors of migrating, as a tree:

MigrationError
├── EditedMigration   an applied file is not what it was
├── UnreadableStep    a file has no number, or undoes nothing
└── LockTimeout       another process has been migrating for too long
"""


class MigrationError(Exception):
    """The database was left at its last whole step."""


class EditedMigration(MigrationError):
    """Names the file that was edited after it had been applied."""


class UnreadableStep(MigrationError):
    """Names the file that is not as a step has to be."""


class LockTimeout(MigrationError):
    """Says for how long the lock was asked for."""

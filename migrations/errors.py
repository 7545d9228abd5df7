"""The errors of migrations, as a tree:

MigrationError
├── EditedMigration   a step was edited after it had been applied
├── UnreadableStep    a step's file is misnamed or has no rollback
└── LockTimeout       another process has been migrating for too long
"""


class MigrationError(Exception):
    """The database is at its last complete step."""


class EditedMigration(MigrationError):
    """Names the edited file."""


class UnreadableStep(MigrationError):
    """Names the invalid file."""


class LockTimeout(MigrationError):
    """Says how long the process has waited for the lock."""

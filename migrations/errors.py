"""The errors of migrations, as a tree:

MigrationError
├── EditedMigration   a step was edited after it had been applied
├── UnreadableStep    a step's file is misnamed or has no rollback
├── WrongEncoding     the database does not store its texts as UTF-8
└── LockTimeout       another process has been migrating for too long
"""


class MigrationError(Exception):
    """The database is at its last complete step."""


class EditedMigration(MigrationError):
    """Names the edited file."""


class UnreadableStep(MigrationError):
    """Names the invalid file."""


class WrongEncoding(MigrationError):
    """Names the encoding."""


class LockTimeout(MigrationError):
    """Says how long the process has waited for the lock."""

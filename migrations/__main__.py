"""``python -m migrations``: bring the database of the settings up to date, once, whoever else is at it."""

import sys

import psycopg

from migrations.apply import apply_steps
from migrations.errors import MigrationError
from settings import settings


def main() -> int:
    """Print the steps applied. Exit code 1 with one line that says what is wrong."""
    now = settings()
    try:
        applied = apply_steps(now.database_url.get_secret_value(), now.connect_database_user)
    except (MigrationError, psycopg.Error) as error:
        print(f"migrations: {error}", file=sys.stderr)
        return 1
    print("\n".join(f"applied {step}" for step in applied) or "nothing to apply")
    return 0


if __name__ == "__main__":
    sys.exit(main())

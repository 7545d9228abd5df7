"""``python -m migrations``: bring the configured database up to date. Concurrent runs wait for each other."""

import logging
import sys

import psycopg

from migrations.apply import apply_steps
from migrations.errors import MigrationError
from settings import settings
from telemetry.logs import configure_logging

log = logging.getLogger("migrations.bootstrap")


def main() -> int:
    """Log the applied steps, or what is wrong: exit code 1, or 2 where PostgreSQL does not answer or refuses."""
    now = settings()
    configure_logging(now.log_level, now.log_format, "migrations")
    try:
        applied = apply_steps(now.database_url.get_secret_value(), now.connect_database_user)
    except MigrationError as error:
        log.critical("%s", str(error))
        return 1
    except psycopg.Error as error:
        log.critical("%r", error)
        return 2
    log.info("%d steps applied", len(applied))
    return 0


if __name__ == "__main__":
    sys.exit(main())

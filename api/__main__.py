"""``python -m api``: serve until told to stop. gunicorn runs in this process; its worker ends when it is gone."""

from telemetry.signals import end_at_once

if __name__ == "__main__":
    end_at_once()

import sys
from pathlib import Path

from gunicorn.app.wsgiapp import run

from settings import MissingKey, end, settings


def main() -> None:
    """Check the keys, then hand over to gunicorn with the configuration beside this file."""
    try:
        settings().signing_keys()
        settings().link_keys()
    except MissingKey as error:
        end(str(error))
    sys.argv = ["turnstile-api", "--config", str(Path(__file__).with_name("gunicorn.conf.py"))]
    run()


if __name__ == "__main__":
    main()

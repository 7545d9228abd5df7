"""``python -m api``: serve until told to stop. gunicorn runs in this process; its worker ends when it is gone."""

import sys
from pathlib import Path

from gunicorn.app.wsgiapp import run


def main() -> None:
    """Hand over to gunicorn with the configuration beside this file."""
    sys.argv = ["turnstile-api", "--config", str(Path(__file__).with_name("gunicorn.conf.py"))]
    run()


if __name__ == "__main__":
    main()

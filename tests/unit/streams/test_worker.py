"""A worker process: what it loads."""

import os
import subprocess
import sys

LOADED = """
import sys
from settings import settings
from streams.worker import make_worker
make_worker(settings())
print(*sys.modules)
"""
OTHERS = {"elasticsearch", "psycopg", "streams.mail", "streams.projections", "streams.search"}


def test_a_ledger_starts_without_what_other_roles_need() -> None:
    environment = {**os.environ, "TURNSTILE_TICKET_KEY": "k" * 32, "TURNSTILE_ROLE": "ledger"}
    program = (sys.executable, "-c", LOADED)
    loaded = subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert "streams.inventory.ledger" in loaded
    assert OTHERS & set(loaded) == set()

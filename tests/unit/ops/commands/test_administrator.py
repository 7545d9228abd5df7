"""The command that makes the first administrator, in a process of its own."""

import json
from pathlib import Path

from lab.free_ports import free
from tests.unit.ops.forked import run_forked


def test_a_database_that_does_not_answer_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    [port] = free(1)
    told = {
        "TURNSTILE_TICKET_KEY": "k" * 32,
        "TURNSTILE_DATABASE_URL": f"postgresql://127.0.0.1:{port}/turnstile",
        "TURNSTILE_ADMIN_PASSWORD": "seven-green-bicycles",
    }
    code, output, errors = run_forked(tmp_path, told, "administrator")["administrator"]
    line = json.loads(output)
    assert (code, line["level"], errors) == (2, "critical", "")
    assert line["message"] == "postgres does not answer"

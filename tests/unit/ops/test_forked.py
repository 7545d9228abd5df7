import socket
from pathlib import Path

import pytest

from tests.unit.ops import forked
from tests.unit.ops.forked import run_forked


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_forked(tmp_path, {}, "--help")  # the later ones start at once
    monkeypatch.setattr(forked, "TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"postgresql://127.0.0.1:{mute.getsockname()[1]}/turnstile"
        variables = {"TURNSTILE_TICKET_KEY": "k" * 32, "TURNSTILE_DATABASE_URL": url}
        [ended] = run_forked(tmp_path, variables, "reindex").values()
    assert (ended.code, ended.errors) == (-9, "")

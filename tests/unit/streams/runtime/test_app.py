from pathlib import Path

import pytest

from settings import Settings
from streams.runtime.app import make_app


@pytest.mark.parametrize("seconds", [6, 30])
def test_a_worker_is_replaced_after_the_session_that_is_set(tmp_path: Path, seconds: int) -> None:
    settings = Settings(ticket_key="k" * 32, worker_data=tmp_path, worker_session_seconds=seconds)
    conf = make_app(settings).conf
    assert conf.broker_session_timeout == seconds
    assert conf.broker_heartbeat_interval == seconds / 4
    # Faust refuses a longer session only when the worker starts.
    assert conf.broker_session_timeout <= conf.broker_request_timeout

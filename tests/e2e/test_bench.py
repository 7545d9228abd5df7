"""A measurement on real servers, small: what it finds is plausible, and nothing is left running or lying about."""

import tempfile
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from lab.bench.ledger import many
from lab.bench.measurement import Lab


def test_the_ledger_is_measured_from_a_filled_topic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Progress(console=Console(file=StringIO())) as progress:
        figures = many(Lab("ledger.many", progress, scale=0.25))
    assert figures["ledger.decisions_per_worker_cpu_s"] > figures["ledger.decisions_per_server_cpu_s"] > 100
    assert figures["ledger.worker_us"] == pytest.approx(1e6 / figures["ledger.decisions_per_worker_cpu_s"])
    assert 500 < figures["ledger.topic_bytes_per_purchase"] < 10_000
    assert list(tmp_path.iterdir()) == []

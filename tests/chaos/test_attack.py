"""The whole pipeline under attack, in short: a fault of each sort in half a minute. `make chaos` is the long one."""

from pathlib import Path

from lab.chaos.report import write
from lab.chaos.run import Options, Run
from lab.chaos.schedule import Fault, FaultKind

SEED = 2
SECONDS = 24.0
PROCESSES = [
    Fault(2, FaultKind.KILL, "kafka"),
    Fault(9, FaultKind.FORGET, "ledger-0"),
    Fault(13, FaultKind.PAUSE, "notifications-0", seconds=1),
    Fault(15, FaultKind.KILL, "postgres"),
    Fault(20, FaultKind.RESTART, "api"),
]
LINKS = [
    Fault(2.5, FaultKind.CUT, "ledger-1 - kafka", seconds=1),
    Fault(7, FaultKind.STALL, "client - api", seconds=1.5),
    Fault(11, FaultKind.SLOW, "connect - postgres", seconds=2, delay=0.05),
    Fault(18, FaultKind.CUT, "notifications-0 - smtp", seconds=1),
]


def test_every_promise_holds_while_everything_is_attacked(tmp_path: Path) -> None:
    options = Options(SEED, SECONDS, tmp_path / "home", tmp_path / "report", processes=PROCESSES, links=LINKS)

    result = Run(options, print).carry_out()
    write(options.folder, options, result)

    assert result.verdict.broken == []
    assert sum(result.survived.values()) == len(PROCESSES) + len(LINKS)
    assert result.verdict.told["confirmed"] > 50
    assert result.verdict.checked["seats ever held or sold"] > 20
    assert result.verdict.checked["mails"] > 50
    assert result.verdict.checked["records that nobody can read"] > 3
    assert (options.folder / "report.json").exists()

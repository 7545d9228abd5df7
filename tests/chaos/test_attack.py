"""The whole pipeline under attack, in short: a fault of each sort in half a minute. `make chaos` is the long one."""

from pathlib import Path

from lab.chaos.report import write
from lab.chaos.run import Order, Run
from lab.chaos.schedule import Deed, Fault

SEED = 2
SECONDS = 24.0
PROCESSES = [
    Fault(2, Deed.KILL, "kafka"),
    Fault(9, Deed.FORGET, "ledger-0"),
    Fault(13, Deed.PAUSE, "notifications-0", seconds=1),
    Fault(15, Deed.KILL, "postgres"),
    Fault(20, Deed.RESTART, "api"),
]
LINKS = [
    Fault(2.5, Deed.CUT, "ledger-1 - kafka", seconds=1),
    Fault(7, Deed.STALL, "client - api", seconds=1.5),
    Fault(11, Deed.SLOW, "connect - postgres", seconds=2, delay=0.05),
    Fault(18, Deed.CUT, "notifications-0 - smtp", seconds=1),
]


def test_every_promise_holds_while_everything_is_attacked(tmp_path: Path) -> None:
    order = Order(SEED, SECONDS, tmp_path / "home", tmp_path / "report", processes=PROCESSES, links=LINKS)

    result = Run(order, print).carry_out()
    write(order.folder, order, result)

    assert result.verdict.broken == []
    assert sum(result.survived.values()) == len(PROCESSES) + len(LINKS)
    assert result.verdict.told["confirmed"] > 50
    assert result.verdict.checked["mails"] > 50
    assert result.verdict.checked["records that nobody can read"] > 3
    assert (order.folder / "report.json").exists()

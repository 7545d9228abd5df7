"""What is switched off is missed: all that is around the ledger, in one short run. Its own rules are in test_rules."""

from pathlib import Path

from lab.chaos.controls import CONTROLS, carry_out, options

SEED = 1
SECONDS = 15.0


def test_the_checker_notices_every_mechanism_that_is_off(tmp_path: Path) -> None:
    [around, *_] = CONTROLS

    made = options(around, SEED, tmp_path / "home", tmp_path / "report", SECONDS)

    assert carry_out(around, made, print) == []

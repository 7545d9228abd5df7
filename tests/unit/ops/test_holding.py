"""Which holds the operator's command ends."""

from uuid import UUID

import pytest
from click.testing import CliRunner

from ops import holding
from ops.commands import holds
from ops.holding import Held, beyond
from tests.unit.tables.ledger_driver import ADA, BOB, EVENT


def held(number: int, account: UUID, tickets: int) -> Held:
    return Held(UUID(int=number), account, tickets)


HOLDS = [held(1, ADA, 3), held(2, BOB, 5), held(3, ADA, 2), held(4, ADA, 1), held(5, BOB, 1)]


@pytest.mark.parametrize(("keep", "ended"), [(0, [1, 2, 3, 4, 5]), (3, [2, 3, 4]), (4, [2, 3]), (5, [4, 5]), (6, [])])
def test_each_account_keeps_its_oldest_holds_up_to_so_many_tickets(keep: int, ended: list[int]) -> None:
    assert [each.purchase.int for each in beyond(HOLDS, keep)] == ended


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["--account", str(ADA)], (EVENT, ADA, 0, "why")),
        (["--keep", "20"], (EVENT, None, 20, "why")),
        (["--account", str(ADA), "--keep", "2"], (EVENT, ADA, 2, "why")),
    ],
)
def test_what_is_ended_is_told_in_figures(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], asked: tuple[object, ...]
) -> None:
    done: list[tuple[object, ...]] = []

    def end(_: object, *named: object) -> list[Held]:
        done.append(named)
        return HOLDS

    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 32)
    monkeypatch.setattr(holding, "end", end)
    result = CliRunner().invoke(holds.command, ["end", str(EVENT), *arguments, "--reason", "why"])
    assert (result.exit_code, result.output) == (0, "5 holds of 2 accounts with 12 tickets are ended\n")
    assert done == [asked]


def test_nobody_ends_all_holds_of_an_event_by_mistake() -> None:
    result = CliRunner().invoke(holds.command, ["end", str(EVENT), "--reason", "why"])
    assert result.exit_code == 2
    assert "name an account" in result.output

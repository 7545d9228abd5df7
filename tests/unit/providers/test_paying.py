"""Payments carried out by a hostile Paper: its own books keep the promise in the end, and show what is missing."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

import tables.payments.transitions
from lab.chaos.mutants import payments
from tables.payments.transitions import PaymentState, Signal, Step
from tests.unit.providers.paper_process import running_paper
from tests.unit.providers.paying_world import BUYERS, World, play


def played(folder: Path, *, checks: bool = True) -> World:
    """A world after everything."""
    now = [time.time()]
    with running_paper(folder, hostile=True, clock=lambda: now[0]) as (paper, url, run):
        world = World(paper, url, run, now)
        play(world, checks=checks)
        world.found, world.paid = world.broken(), len(world.books())
        world.provider.close()
    return world


def test_the_books_keep_the_promise(tmp_path: Path) -> None:
    world = played(tmp_path)
    assert world.found == []
    assert world.paid == BUYERS
    assert world.refused > 0
    assert any(purchase.ledger.sold for purchase in world.lost)


def test_without_the_timer_what_was_lost_is_found(tmp_path: Path) -> None:
    world = played(tmp_path, checks=False)
    assert any("is still authorized" in finding for finding in world.found)
    assert not any(purchase.ledger.sold for purchase in world.lost)


@pytest.mark.parametrize(
    ("take_away", "words"),
    [(payments.confirm_first, "more than its tickets' worth of 0"), (payments.refund_ids, "less than")],
)
def test_a_mechanism_that_is_off_is_found(
    take_away: Callable[[], None], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments, "patch", monkeypatch.setattr)
    take_away()
    assert any(words in finding for finding in played(tmp_path).found)


@pytest.mark.parametrize(
    ("pair", "weak"),
    [
        ((PaymentState.CAPTURED, Signal.RETURNED_PAID), Step(PaymentState.REFUNDED)),
        ((PaymentState.AUTHORIZING, Signal.AUTHORIZED), Step(PaymentState.CAPTURED)),
    ],
)
def test_a_row_that_is_wrong_is_found(
    pair: tuple[PaymentState, Signal], weak: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tables.payments.transitions.TRANSITIONS, pair, weak)
    assert played(tmp_path).found != []

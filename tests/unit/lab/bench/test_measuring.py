"""What is measured, by which name; what the measurements sell."""

import random
from collections import Counter

import pytest

from connect.partitioning import partition_of
from lab.bench.figures import CATALOGUE, RATIOS
from lab.bench.latency import percentile
from lab.bench.orders import definition, purchases, shows
from lab.bench.registry import ALL, NoMeasurement, chosen
from tables.messages.commands import decode_command, encode_command


def test_all_are_chosen_without_a_name_and_a_group_by_its_beginning() -> None:
    assert [one.name for one in chosen(())] == list(ALL)
    assert {one.name for one in chosen(("ledger",))} == {name for name in ALL if name.startswith("ledger.")}
    assert [one.name for one in chosen(("ledger.idle", "ledger.hot"))] == ["ledger.hot", "ledger.idle"]


@pytest.mark.parametrize("name", ["ledger.manny", "led", ""])
def test_a_name_that_fits_nothing_is_told_with_those_that_there_are(name: str) -> None:
    with pytest.raises(NoMeasurement, match=r"ledger\.many"):
        chosen((name,))


def test_a_ratio_is_made_of_figures_that_are_described() -> None:
    assert {key for ratio in RATIOS.items() for key in (ratio[0], *ratio[1])} <= set(CATALOGUE)


def test_a_figure_meets_its_goal_on_the_better_side() -> None:
    assert CATALOGUE["ledger.decisions_per_worker_cpu_s"].met(12_000)
    assert CATALOGUE["ledger.decisions_per_worker_cpu_s"].met(11_999) is False
    assert CATALOGUE["ledger.idle_p99_ms"].met(30)
    assert CATALOGUE["ledger.idle_p99_ms"].met(30.1) is False
    assert CATALOGUE["ledger.worker_us"].met(1) is None


@pytest.mark.parametrize(("percent", "value"), [(50, 2), (75, 3), (99, 4), (100, 4), (1, 1)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: float) -> None:
    assert percentile([4, 1, 3, 2], percent) == value


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_shows_are_spread_evenly_and_lie_where_their_keys_lead() -> None:
    made = shows(64, 3, 4, random.Random(1))
    assert Counter(show.partition for show in made) == dict.fromkeys(range(4), 16)
    assert all(partition_of(show.key, 4) == show.partition for show in made)
    assert {len(set(show.types)) for show in made} == {3}


def test_a_seed_gives_the_same_purchases_each_by_another_account() -> None:
    on_sale = shows(2, 20, 4, random.Random(1))
    first, again = (list(purchases(on_sale, 500, random.Random(2))) for _ in range(2))
    assert first == again
    assert len({purchase.account for _, purchase in first}) == 500 == len({each.purchase for _, each in first})
    assert {sum(line.quantity for line in purchase.lines) for _, purchase in first} == {1, 2, 3, 4}
    assert Counter(show.event for show, _ in first) == dict.fromkeys((show.event for show in on_sale), 250)


def test_commands_are_such_as_the_ledger_reads() -> None:
    show = shows(1, 20, 4, random.Random(1))[0]
    _, purchase = next(purchases([show], 1, random.Random(2)))
    for command in (definition(show), purchase):
        assert decode_command(encode_command(command)) == command


PROMISED = """
ledger.decisions_per_worker_cpu_s ledger.decisions_per_server_cpu_s ledger.hot_event_ratio ledger.after_1m_ratio
ledger.two_workers_ratio ledger.worker_rss_mb_after_1m ledger.idle_p50_ms ledger.idle_p99_ms
rest.purchases_per_server_cpu_s rest.sellout_answers_per_server_cpu_s rest.idle_p50_ms rest.idle_p99_ms
rest.open_loop_p99_ms rest.baseline_ratio_many rest.baseline_ratio_hot search.fresh_p50_ms search.fresh_p99_ms
search.ndcg_at_10 recovery.worker_s recovery.rebuild_1m_s run.fresh_s run.warm_s run.rss_mb
gate.idle_p50_ms gate.idle_p99_ms gate.cpu_us gate.flooded_p99_ms rest.besieged_p99_ms pages.besieged_p99_ms
"""


def test_every_figure_that_is_promised_is_described_once() -> None:
    assert set(PROMISED.split()) <= set(CATALOGUE)

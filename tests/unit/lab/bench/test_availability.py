"""When something that was killed counts as back."""

import pytest

from lab.bench.availability import HealthProbe, back


def usual(*seconds: float) -> list[HealthProbe]:
    return [HealthProbe(-1.0 + number / 10, True, each) for number, each in enumerate(seconds)]


def test_it_is_back_when_the_last_answer_came_that_failed() -> None:
    asked = [
        *usual(0.01),
        HealthProbe(0.0, False, 0.5),
        HealthProbe(0.5, True, 0.01),
        HealthProbe(0.6, False, 0.2),
        HealthProbe(0.8, True, 0.01),
    ]
    assert back(asked) == pytest.approx(0.8)


def test_an_answer_that_was_held_up_counts_until_it_came() -> None:
    asked = [*usual(0.01, 0.02), HealthProbe(0.1, True, 2.4), HealthProbe(1.5, True, 1.0), HealthProbe(2.6, True, 0.02)]
    assert back(asked) == pytest.approx(2.5)


def test_what_nobody_noticed_took_no_time() -> None:
    assert back([*usual(0.01), HealthProbe(0.1, True, 0.05)]) == 0


@pytest.mark.parametrize("asked", [[], [*usual(0.01), HealthProbe(0.1, False, 0.01)]])
def test_what_does_not_come_back_is_an_error_and_no_figure(asked: list[HealthProbe]) -> None:
    with pytest.raises(ValueError, match="did not come back"):
        back(asked)

"""The learning rate of every update."""

import pytest

from solon.objectives.adam import Adam


def test_warm_up_is_linear_and_reaches_the_rate_after_its_updates():
    adam = Adam(lr=1e-3, warmup=9)
    assert [adam.rate(step) for step in (0, 5, 9, 500)] == pytest.approx([1e-4, 6e-4, 1e-3, 1e-3])


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [("linear", [2.0, 1.5, 1.0, 0.0, 0.0]), ("cosine", [2.0, 1.7071068, 1.0, 0.0, 0.0])],
)
def test_a_schedule_falls_to_nothing_over_its_steps(schedule, rates):
    adam = Adam(lr=2.0, warmup=4, steps=24, schedule=schedule)
    assert [adam.rate(step) for step in (4, 9, 14, 24, 99)] == pytest.approx(
        rates, abs=1e-12 + 1e-7
    )
    assert adam.rate(0) == pytest.approx(0.4)

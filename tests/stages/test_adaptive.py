from pathlib import Path

import pytest

from solon.errors import SettingError
from solon.objectives.kl import KL
from solon.objectives.policy import GRPO, RLOO
from solon.stages.adaptive import AdaptiveKL


def test_the_coefficient_rises_while_the_policy_is_too_far_and_falls_while_it_is_near() -> None:
    steer = AdaptiveKL(target=2.0, horizon=100)
    objective = RLOO(kl=KL(coefficient=0.1))
    assert steer.steered(objective) == objective
    steer.saw(10.0, n=50)
    far = steer.steered(objective)
    assert isinstance(far, RLOO)
    assert far.kl.coefficient == pytest.approx(0.1 * (1 + 0.2 * 50 / 100))
    steer.saw(0.0, n=50)
    near = steer.steered(objective)
    assert isinstance(near, RLOO)
    assert near.kl.coefficient == pytest.approx(0.11 * (1 - 0.2 * 50 / 100))


def test_without_a_target_nothing_is_steered() -> None:
    steer = AdaptiveKL(target=0.0)
    objective = GRPO(kl=KL(coefficient=0.0))
    steer.saw(10.0, n=50)
    assert steer.steered(objective) is objective


def test_a_target_without_a_penalty_is_a_mistake() -> None:
    with pytest.raises(SettingError, match="kl_target: expected an objective with a KL"):
        AdaptiveKL(target=1.0).steered(RLOO(kl=KL(coefficient=0.0)))


def test_the_coefficient_survives_a_resume(tmp_path: Path) -> None:
    steer = AdaptiveKL(target=2.0, coefficient=0.07)
    steer.save_state(tmp_path)
    again = AdaptiveKL(target=2.0)
    again.load_state(tmp_path)
    assert again.coefficient == 0.07

"""Self-play on a policy small enough to enumerate: where one round ends, and where rounds lead."""

from itertools import pairwise

import pytest
import torch
from tabular import kl
from torch import Tensor

from solon.objectives.batch import PairLogps
from solon.objectives.pairwise import DPO

DATA = torch.tensor([0.4, 0.25, 0.15, 0.12, 0.08], dtype=torch.float64)
START = torch.tensor([0.1, 0.3, 0.2, 0.15, 0.25], dtype=torch.float64)


def best_reply(p: Tensor, lam: float) -> Tensor:
    """p (data / p)^(1 / lambda), normalised: theorem 5.4's optimum of a round against p."""
    return (p.log() + (DATA / p).log() / lam).softmax(0)


def every_pair(logps: Tensor, opponent: Tensor) -> PairLogps:
    """Each completion of the data against each of the opponent's, weighed by its probability."""
    chosen, rejected = torch.cartesian_prod(torch.arange(5), torch.arange(5)).T
    ones = torch.ones(25, dtype=torch.float64)
    return PairLogps(
        chosen=logps[chosen],
        rejected=logps[rejected],
        anchor_chosen=opponent.log()[chosen],
        anchor_rejected=opponent.log()[rejected],
        p=ones,
        chosen_tokens=ones,
        rejected_tokens=ones,
        weight=torch.outer(DATA, opponent).flatten(),
    )


def fitted(p: Tensor, lam: float, *, steps: int = 400) -> Tensor:
    """Where descent on the loss itself ends, over every policy there is."""
    logits = p.log().clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [logits],
        max_iter=steps,
        tolerance_grad=1e-12,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = DPO(beta=lam)(every_pair(logits.log_softmax(0), p)).value
        value.backward()
        return value

    optimiser.step(loss)
    return logits.detach().softmax(0)


def errors(lam: float, rounds: int) -> list[Tensor]:
    """The centred log(p / data) before each round and after the last one."""
    found, p = [], START
    for _ in range(rounds + 1):
        ratio = (p / DATA).log()
        found.append(ratio - ratio.mean())
        p = best_reply(p, lam)
    return found


@pytest.mark.parametrize("lam", [0.4, 0.7, 1.0, 2.0])
def test_a_round_fitted_to_the_end_is_the_closed_form(lam: float) -> None:
    torch.testing.assert_close(fitted(START, lam), best_reply(START, lam), atol=1e-6, rtol=1e-5)


def test_the_loss_of_a_round_begins_at_log_two_and_people_are_a_fixed_point() -> None:
    x = every_pair(START.log(), START)
    assert float(DPO(beta=0.1)(x).value) == pytest.approx(0.6931471805599453, abs=1e-15)
    logps = DATA.log().requires_grad_()
    (gradient,) = torch.autograd.grad(DPO(beta=0.1)(every_pair(logps, DATA)).value, logps)
    torch.testing.assert_close(gradient, torch.zeros(5, dtype=torch.float64), atol=1e-15, rtol=0)
    torch.testing.assert_close(best_reply(DATA, 0.4), DATA)


@pytest.mark.parametrize("lam", [0.4, 0.5, 0.7, 1.0, 3.0])
def test_the_error_of_the_log_ratios_is_multiplied_by_one_less_one_over_lambda(lam: float) -> None:
    found = errors(lam, 4)
    for before, after in pairwise(found):
        torch.testing.assert_close(after, (1 - 1 / lam) * before, atol=1e-10, rtol=1e-10)


def test_rounds_reach_people_above_a_half_and_in_one_round_at_one() -> None:
    after = [float(error.abs().max()) for error in errors(0.7, 40)]
    assert after[-1] < 1e-12 < after[0]
    assert float(errors(1.0, 1)[-1].abs().max()) < 1e-12


def test_at_a_half_they_swing_for_ever_and_below_it_they_diverge() -> None:
    swing = errors(0.5, 20)
    torch.testing.assert_close(swing[1], -swing[0])
    torch.testing.assert_close(swing[20], swing[0])
    p, far = START, [kl(DATA, START)]
    for _ in range(4):
        p = best_reply(p, 0.4)
        far.append(kl(DATA, p))
    assert far == sorted(far)
    assert far[-1] > 5 * far[0]


def test_an_opponent_that_is_never_refreshed_stops_at_one_rounds_answer() -> None:
    """At lambda 3 one round leaves two thirds of the error, however long it is fitted."""
    fixed, iterated = fitted(START, 3.0, steps=2000), START
    for _ in range(4):
        iterated = fitted(iterated, 3.0)
    assert kl(DATA, fixed) == pytest.approx(kl(DATA, best_reply(START, 3.0)), abs=1e-6)
    assert kl(DATA, iterated) < 0.2 * kl(DATA, fixed)

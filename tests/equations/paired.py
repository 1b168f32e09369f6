"""Pairs of completions in plain floats, and as what a loss sees."""

import math
from dataclasses import dataclass, replace
from types import FunctionType

import pytest
import torch
from torch import Tensor

from solon.objectives.batch import Loss, PairLogps
from solon.objectives.pairwise import Pairwise


@dataclass(frozen=True)
class Pair:
    chosen: float
    rejected: float
    anchor_chosen: float = -4.0
    anchor_rejected: float = -4.0
    chosen_tokens: float = 4.0
    rejected_tokens: float = 4.0
    p: float = 1.0
    weight: float = 1.0

    @property
    def delta(self) -> float:
        return self.chosen - self.anchor_chosen - self.rejected + self.anchor_rejected

    @property
    def means(self) -> tuple[float, float]:
        return self.chosen / self.chosen_tokens, self.rejected / self.rejected_tokens


PAIRS = [
    Pair(-4.0, -5.0, -4.2, -4.9, 6, 7, p=0.8, weight=0.5),
    Pair(-9.5, -7.25, -8.0, -9.75, 9, 5, p=1.0, weight=1.0),
    Pair(-30.25, -41.0, -52.5, -33.0, 24, 31, p=0.35, weight=0.25),
    Pair(-3.0, -3.5, -3.5, -4.0, 2, 3, p=0.5, weight=0.8),
]


def at(u: float, p: float = 1.0, beta: float = 1.0) -> Pair:
    """A pair of margin u under DPO's reward."""
    return Pair(-4.0 + u / beta, -4.0, p=p)


def logps(pairs: list[Pair]) -> PairLogps:
    columns = {
        name: torch.tensor([float(getattr(one, name)) for one in pairs], dtype=torch.float64)
        for name in Pair.__dataclass_fields__
    }
    for leaf in ("chosen", "rejected"):
        columns[leaf].requires_grad_()
    return PairLogps(**columns)


def sigma(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def sp(z: float) -> float:
    return math.log1p(math.exp(z))


def value(loss: Loss) -> float:
    return float(loss.value.detach())


def slopes(objective: Pairwise, x: PairLogps) -> tuple[Tensor, Tensor]:
    return torch.autograd.grad(objective(x).value, (x.chosen, x.rejected))


def slope(objective: Pairwise, u: float) -> float:
    """dl/du of a certain pair."""
    return float(slopes(objective, logps([at(u, beta=objective.beta)]))[0][0]) / objective.beta


def plainly(each, pairs: list[Pair]) -> float:
    """The mean by weight of a loss given for certain pairs as ``each(pair)``."""
    total = sum(one.weight for one in pairs)
    mixed = [one.p * each(one) + (1 - one.p) * each(turned(one)) for one in pairs]
    return sum(one.weight * loss for one, loss in zip(pairs, mixed, strict=True)) / total


def turned(one: Pair) -> Pair:
    return Pair(
        one.rejected,
        one.chosen,
        one.anchor_rejected,
        one.anchor_chosen,
        one.rejected_tokens,
        one.chosen_tokens,
    )


def check(objective: Pairwise, each, pairs: list[Pair]) -> None:
    """Value and gradients of the objective are those of its formula in plain floats."""
    assert value(objective(logps(pairs))) == pytest.approx(plainly(each, pairs), rel=1e-12)
    for side, gradient in zip(("chosen", "rejected"), slopes(objective, logps(pairs)), strict=True):
        for i, one in enumerate(pairs):
            up, down = (
                [*pairs[:i], replace(one, **{side: getattr(one, side) + by}), *pairs[i + 1 :]]
                for by in (1e-6, -1e-6)
            )
            numeric = (plainly(each, up) - plainly(each, down)) / 2e-6
            assert float(gradient[i]) == pytest.approx(numeric, rel=1e-6, abs=1e-8)


def same(one: Pairwise, other: Pairwise, pairs: list[Pair] = PAIRS) -> None:
    """Equal values and gradients."""
    x = logps(pairs)
    torch.testing.assert_close(one(x).value, other(x).value, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(slopes(one, x), slopes(other, x), atol=1e-9, rtol=1e-9)


def named(one: object) -> str:
    """What a test of it is called, the same in every process."""
    return one.__name__ if isinstance(one, FunctionType) else repr(one)[:24]

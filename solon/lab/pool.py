"""A world of candidates described by numbers: gold, proxies and pressures that are exact.

A candidate has a quality q, a length l that goes with it (correlation 0.6), three cues and the
noise of the proxy's view of q, all standard normal. With x+ = max(x, 0),

    gold = q + 0.5 l - 0.5 (l - 1)+^2 + 0.3 cue_1            length helps, then it pads
    a proxy sees  0.5 q + 0.87 noise, l, cue_1, cue_2         and, with ``hinges``, bends of l

A proxy is fitted to comparisons that gold decides (Bradley & Terry). Best-of-n and tilting by
exp(b score), the exact optimum of a KL penalty, are sums over the pool: no sampling stands between
the claim and what it measures. After Gao et al. (arXiv 2210.10760); the features are ours.

axes: N candidates of the pool, K features, P comparisons
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from solon.objectives.bestofn import pmf
from solon.statistics.logistic import logistic

Floats = NDArray[np.float64]
RIDGE = 1e-3  # per comparison; separable comparisons have no other end


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Candidates of one seed, with their gold standardised over the pool.

    Keep ``size`` at ten times the largest n or more: best-of-n beyond that is the pool's own best.

    Example:
        Pool(seed=1).best_of(64, score).mean(pool.gold)
    """

    size: int = 300_000
    seed: int = 0

    @cached_property
    def traits(self) -> Floats:
        """Quality, length, cues one to three, noise, and style: [N 7]."""
        return drawn(self.size, np.random.default_rng([self.seed, 0]))

    @cached_property
    def gold(self) -> Floats:
        """Mean 0 and standard deviation 1 over the pool."""
        return standardised(gold(self.traits))

    @property
    def length(self) -> Floats:
        return self.traits[:, 1]

    @property
    def style(self) -> Floats:
        """Worth nothing by gold."""
        return self.traits[:, 6]

    def best_of(self, n: int, score: Floats) -> Pushed:
        """The best of n by score, exactly: see ``pmf``."""
        return Pushed(weights=pmf(np.full(self.size, 1 / self.size), score, n))

    def tilted(self, score: Floats, kl: float) -> Pushed:
        """In proportion to exp(b score), with b >= 0 such that KL is ``kl`` nats."""
        scaled, low, high = standardised(score), 0.0, 1.0
        while _tilted(scaled, high).kl < kl and high < 1e4:
            high *= 2
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if _tilted(scaled, middle).kl < kl else (low, middle)
        return _tilted(scaled, (low + high) / 2)


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A policy over the pool: ``weights`` [N] sum to 1.

    Example:
        Pool().best_of(16, score).kl      # log 16 - 15/16, where no two scores tie
    """

    weights: Floats

    @property
    def kl(self) -> float:
        """From the uniform policy, in nats."""
        held = self.weights[self.weights > 0]
        return float(held @ np.log(held * len(self.weights)))

    @property
    def d(self) -> float:
        return sqrt(max(0.0, self.kl))

    def mean(self, values: Floats) -> float:
        return float(self.weights @ values)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Comparisons between candidates, decided without noise: p [P] is 0 or 1.

    Example:
        Labels.fresh(2000, seed=3)
    """

    first: Floats
    second: Floats
    p: Floats

    @classmethod
    def fresh(cls, n: int, *, seed: Sequence[int], liking: float = 0.0) -> Labels:
        """Of n pairs drawn anew; the labeller sees gold plus ``liking`` times the style."""
        draw = np.random.default_rng([*seed, 1])
        return cls.of(drawn(n, draw), drawn(n, draw), liking)

    @classmethod
    def of(cls, first: Floats, second: Floats, liking: float = 0.0) -> Labels:
        """Of these pairs of traits [P 7]."""
        seen = [gold(side) + liking * side[:, 6] for side in (first, second)]
        return cls(first=first, second=second, p=(seen[0] > seen[1]).astype(float))

    def and_(self, more: Labels) -> Labels:
        """Both together."""
        return Labels(
            first=np.concatenate([self.first, more.first]),
            second=np.concatenate([self.second, more.second]),
            p=np.concatenate([self.p, more.p]),
        )


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """What a reward model sees of a candidate, and what it made of comparisons.

    Example:
        Proxy(hinges=(0.5, 1.0, 1.5, 2.0)).fitted(Labels.fresh(2000, seed=[3]))(pool.traits)
    """

    sees: tuple[str, ...] = ("quality", "length", "cue", "idle")
    hinges: tuple[float, ...] = ()
    weights: Floats = field(default_factory=lambda: np.zeros(0))

    def features(self, traits: Floats) -> Floats:
        """[N K]"""
        length = traits[:, 1]
        columns = [VIEWS[name](traits) for name in self.sees]
        columns += [np.maximum(length - bend, 0) for bend in self.hinges]
        return np.stack(columns, axis=1)

    def fitted(self, labels: Labels) -> Proxy:
        """Bradley-Terry by maximum likelihood with a small ridge."""
        gaps = self.features(labels.first) - self.features(labels.second)
        found = logistic(gaps, labels.p, ridge=RIDGE * len(gaps))
        return Proxy(sees=self.sees, hinges=self.hinges, weights=found.coefficients)

    def __call__(self, traits: Floats) -> Floats:
        return self.features(traits) @ self.weights


VIEWS = {
    "quality": lambda x: 0.5 * x[:, 0] + 0.87 * x[:, 5],
    "length": lambda x: x[:, 1],
    "padding": lambda x: np.maximum(x[:, 1] - 1, 0) ** 2,
    "cue": lambda x: x[:, 2],
    "idle": lambda x: x[:, 3],
    "style": lambda x: x[:, 6],
}
"""By name, what of a candidate a proxy may see."""


def drawn(n: int, draw: np.random.Generator) -> Floats:
    """Traits of n candidates: [N 7]."""
    traits = draw.normal(size=(n, 7))
    traits[:, 1] = 0.6 * traits[:, 0] + 0.8 * traits[:, 1]
    return traits


def gold(traits: Floats) -> Floats:
    """The true reward, in its own units: [N]."""
    quality, length, cue = traits[:, 0], traits[:, 1], traits[:, 2]
    return quality + 0.5 * length - 0.5 * np.maximum(length - 1, 0) ** 2 + 0.3 * cue


def standardised(values: Floats) -> Floats:
    return (values - values.mean()) / values.std()


def _tilted(scaled: Floats, b: float) -> Pushed:
    raised = np.exp(b * (scaled - scaled.max()))
    return Pushed(weights=raised / raised.sum())

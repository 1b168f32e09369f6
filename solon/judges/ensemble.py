"""Several rewards as one: their mean, their worst, or their mean less their disagreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean, pstdev, pvariance
from typing import TYPE_CHECKING, Literal

from solon.errors import InputError, SettingError
from solon.records import Abstains, Completion
from solon.seams.feedback import Reward, Spec

if TYPE_CHECKING:
    from solon.run.run import Run

By = Literal["mean", "worst", "uncertainty"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Mean and standard deviation of a member's rewards, over answers that all members were given.

    Example:
        Scale.of([0.2, 1.4, 0.9])
    """

    mean: float = 0.0
    sd: float = 1.0

    def __post_init__(self) -> None:
        if not (isfinite(self.mean) and isfinite(self.sd) and self.sd > 0):
            came = f"got mean {self.mean:g} and sd {self.sd:g}"
            raise SettingError(f"scale: expected a finite mean and an sd above 0, {came}")

    @classmethod
    def of(cls, rewards: Sequence[float | Abstains]) -> Scale:
        """Measured on the rewards that were given; raises InputError where they do not vary."""
        given = [reward for reward in rewards if not isinstance(reward, Abstains)]
        if len(set(given)) < 2:
            raise InputError(f"scale: expected rewards that vary, got {len(given)} without spread")
        return cls(mean=fmean(given), sd=pstdev(given))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Standardised rewards r_i as one reward: mean, min_i r_i, or mean - weight * var.

    The last two are WCO and UWO of Coste et al. (arXiv 2310.02743, eq. 3 and 4). No combination
    removes an error that all members share. Where one member abstains the ensemble does: the worst
    of fewer members is another reward.

    Example:
        Ensemble(members=(first, second), by="worst", scales=(Scale.of(a), Scale.of(b)))
    """

    members: tuple[Spec[Reward], ...]
    """What is combined."""
    by: By = "mean"
    """How: mean, worst or uncertainty."""
    weight: float = 0.5
    """Of the variance over members, where it is by uncertainty."""
    scales: tuple[Scale, ...] = ()
    """One a member, fixed beforehand: a reward that was standardised within its batch would depend
    on its neighbours. None takes the members as they are, on one scale already."""

    def __post_init__(self) -> None:
        if not self.members:
            raise SettingError("members: expected one reward or more, got none")
        if self.scales and len(self.scales) != len(self.members):
            came = f"got {len(self.scales)}"
            raise SettingError(f"scales: expected {len(self.members)}, one a member, {came}")
        if self.weight < 0:
            raise SettingError(f"weight: expected 0 or more, got {self.weight:g}")

    def open(self, run: Run, /) -> Reward:
        scales = self.scales or (Scale(),) * len(self.members)
        members = tuple(member.open(run) for member in self.members)
        return _Ensemble(members=members, scales=scales, by=self.by, weight=self.weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ensemble:
    members: tuple[Reward, ...]
    scales: tuple[Scale, ...]
    by: By
    weight: float

    def __call__(self, completions: Sequence[Completion], /) -> list[float | Abstains]:
        columns = [member(completions) for member in self.members]
        return [self._one(rewards) for rewards in zip(*columns, strict=True)]

    def _one(self, rewards: Sequence[float | Abstains]) -> float | Abstains:
        scaled: list[float] = []
        for reward, scale in zip(rewards, self.scales, strict=True):
            if isinstance(reward, Abstains):
                return reward
            scaled.append((reward - scale.mean) / scale.sd)
        if self.by == "worst":
            return min(scaled)
        # the same formulas on tensors, for training, stand in solon/objectives/reward.py
        return fmean(scaled) - (self.weight * pvariance(scaled) if self.by == "uncertainty" else 0)

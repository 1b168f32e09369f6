"""DPO for labels that may be wrong: cDPO, rDPO, R3M, trimming, and weights by a reference's margin.

axes: P pairs, K cuts of the history. All keep DPO's margin u; each satisfies
``solon.seams.learning.PairObjective``. A sparse method treats a pair as an outlier by what the
policy says of it, ``NrDPO`` by what a frozen reference says: its weights can do no more than agree
with that reference, so measure the reference's own accuracy beside any result.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from solon.objectives.pairwise import LogRatio, PerPair


def _expect(setting: str, expected: str, got: float | None, *, holds: bool) -> None:
    if not holds:
        raise ValueError(f"{setting}: expected {expected}, got {got}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CDPO(LogRatio):
    """l(u) = -(1 - flip) log sigma(u) - flip log sigma(-u): DPO on smoothed labels.

    Mitchell's note (2023). It is least at u = log((1 - flip) / flip), so that no margin runs away.
    Raises ValueError unless 0 <= flip < 1/2.
    """

    flip: float = 0.1
    """Probability that a label is the wrong way round."""

    def __post_init__(self) -> None:
        _expect("CDPO.flip", "0 <= flip < 0.5", self.flip, holds=0 <= self.flip < 0.5)

    def losses(self, u: PerPair) -> PerPair:
        return (1 - self.flip) * F.softplus(-u) + self.flip * F.softplus(u)


@dataclass(frozen=True, slots=True, kw_only=True)
class RDPO(LogRatio):
    """l(u) = [-(1 - flip) log sigma(u) + flip log sigma(-u)] / (1 - 2 flip).

    Its mean over random flips is DPO's loss on clean labels (Ray Chowdhury et al., arXiv
    2403.00409). It has no lower bound, and its slope tends to -flip / (1 - 2 flip): margins grow
    without end unless updates are few or weights decay. Raises ValueError unless 0 <= flip < 1/2.
    """

    flip: float = 0.1
    """Probability that a label is the wrong way round."""

    def __post_init__(self) -> None:
        _expect("RDPO.flip", "0 <= flip < 0.5", self.flip, holds=0 <= self.flip < 0.5)

    def losses(self, u: PerPair) -> PerPair:
        unnormalised = (1 - self.flip) * F.softplus(-u) - self.flip * F.softplus(u)
        return unnormalised / (1 - 2 * self.flip)


@dataclass(frozen=True, slots=True, kw_only=True)
class R3M(LogRatio):
    """l(u) = min over shifts d >= 0 of -log sigma(u + d) + lam d: outliers pull by lam at most.

    Bukharin et al. (NeurIPS 2024), whose sparse shifts of a reward's margin carry over to DPO. The
    least d is max(0, log((1 - lam) / lam) - u), taken without gradient; the value is that minimum,
    its slope -min(sigma(-u), lam). lam to 1 is DPO; at 1/2, only pairs now on the wrong side are
    capped. Raises ValueError unless 0 < lam < 1.
    """

    lam: float = 0.5
    """Price of a unit of shift: the largest slope of a pair's loss."""

    def __post_init__(self) -> None:
        _expect("R3M.lam", "0 < lam < 1", self.lam, holds=0 < self.lam < 1)

    def losses(self, u: PerPair) -> PerPair:
        kappa = math.log1p(-self.lam) - math.log(self.lam)
        shift = (kappa - u.detach()).clamp_min(0)
        return F.softplus(-(u + shift)) + self.lam * shift


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed(LogRatio):
    """l(u) = min(-log sigma(u), cap): a pair whose loss is above cap teaches nothing.

    Our formulation: R3M with a price per outlier in place of one per unit of shift. Where errors
    have a pattern it entrenches them, since the pairs that it drops are those that disagree.
    """

    cap: float = 1.0
    """Loss above which a pair is dropped; inf drops none. At u = 0, where a policy starts at its
    anchor, the loss is log 2 = 0.693: with a lower cap nothing is learnt from there."""

    def losses(self, u: PerPair) -> PerPair:
        return F.softplus(-u).clamp_max(self.cap)

    def passes(self, u: PerPair) -> Bool[Tensor, " P"]:
        return F.softplus(-u) <= self.cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a frozen reference says of a data set's pairs, from which their weights are made once.

    ``margin`` is the mean token logp of the chosen completion less that of the rejected one, in
    nats; ``truncated`` is the same with the history cut in K ways (0 for single turns).

    Example:
        Evidence(margin=tensor([0.4, -0.1]), truncated=zeros(2, 0),
                 chosen_tokens=tensor([6.0, 9.0]), rejected_tokens=tensor([7.0, 5.0]))
    """

    margin: Float[Tensor, " P"]
    truncated: Float[Tensor, "P K"]
    chosen_tokens: Float[Tensor, " P"]
    rejected_tokens: Float[Tensor, " P"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NrDPO(LogRatio):
    """DPO whose pairs weigh w = clip(c q l, floor, 1), and 0 where the reference's margin < gate.

    Our formulation, from the abstract of noise-robust DPO alone: c = sigma(m / temperature) is the
    frozen reference's confidence in the label, m its margin; q is how little m changes when the
    history is cut; l = exp(-alpha max(0, chosen - rejected tokens) / the longer of both). ``weigh``
    makes the weights; the loss takes them as constants. Raises ValueError for a temperature or a
    floor outside its range.
    """

    margin: Literal["signed", "abs"] = "signed"
    """What confidence and gate read: m, which doubts pairs that the reference would turn round, or
    its size, which doubts pairs that it cannot tell apart."""
    temperature: float | None = None
    """Nats of m over which confidence grows; none takes the data set's median size of m."""
    history: tuple[int, ...] = (1, 2)
    """Last turns of the prompt that are kept, one cut for each; a prompt of no more keeps m."""
    stability: Literal["decay", "sign"] = "decay"
    """q: exp(-gamma mean |m - m cut| / temperature), or the share of cuts that keep m's sign."""
    gamma: float = 1.0
    """How fast a margin that changes with the history loses weight, with decay."""
    alpha: float = 1.0
    """How fast a chosen completion that is longer loses weight; 0 ignores lengths."""
    floor: float = 0.05
    """Least weight of a pair that passes the gate."""
    gate: float = -math.inf
    """Least margin of a pair that counts, in nats a token; -inf lets every pair through."""

    def __post_init__(self) -> None:
        warm = self.temperature is None or self.temperature > 0
        _expect("NrDPO.temperature", "none or a number above 0", self.temperature, holds=warm)
        _expect("NrDPO.floor", "0 <= floor <= 1", self.floor, holds=0 <= self.floor <= 1)

    @classmethod
    def gated(cls) -> "NrDPO":
        """nrDPO-gated: only pairs whose chosen completion the reference prefers count."""
        return cls(gate=0.0)

    def losses(self, u: PerPair) -> PerPair:
        return F.softplus(-u)

    @torch.no_grad()
    def weigh(self, x: Evidence, /) -> PerPair:
        """w of each pair of the data set, not yet divided by their mean, as the loss does."""
        scale = self._scale(x.margin)
        read = x.margin if self.margin == "signed" else x.margin.abs()
        longer = torch.maximum(x.chosen_tokens, x.rejected_tokens).clamp_min(1)
        surplus = (x.chosen_tokens - x.rejected_tokens).clamp_min(0) / longer
        weight = torch.sigmoid(read / scale) * self._stable(x, scale)
        weight = (weight * torch.exp(-self.alpha * surplus)).clamp(self.floor, 1.0)
        return weight * (read >= self.gate)

    def _scale(self, margin: PerPair) -> Float[Tensor, ""]:
        if self.temperature is not None:
            return margin.new_tensor(self.temperature)
        # margins that are mostly 0 leave no scale: any other is then sure
        return margin.abs().median().clamp_min(torch.finfo(margin.dtype).tiny)

    def _stable(self, x: Evidence, scale: Float[Tensor, ""]) -> PerPair:
        """q; 1 where there is no history to cut."""
        if not x.truncated.shape[1]:
            return torch.ones_like(x.margin)
        whole = x.margin[:, None]
        if self.stability == "sign":
            return (torch.sign(x.truncated) == torch.sign(whole)).to(whole.dtype).mean(1)
        return torch.exp(-self.gamma * (x.truncated - whole).abs().mean(1) / scale)

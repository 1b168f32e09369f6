"""Weak-to-strong: targets for a student's cross-entropy, of labels that may be wrong.

axes: N items of a whole gradient batch, K classes. Burns et al. (arXiv 2312.09390), appendix A.4
and the authors' code. Every target is a distribution, held constant: its gradient is that of plain
cross-entropy. ``target`` must see the whole batch, never a microbatch: the confidence loss balances
classes over it.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from solon.objectives.batch import Loss

PerItem = Float[Tensor, "N K"]
WARMUP = 0.1  # of the authors' code


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLogits:
    """A student's logits, the weak labels beside them, and how much of the training is done.

    Example:
        ClassLogits(logits=tensor([[0.2, -0.1]]), weak=tensor([[0.7, 0.3]]), progress=0.5)
    """

    logits: Float[Tensor, "N K"]
    weak: Float[Tensor, "N K"]
    progress: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Naive:
    """The weak label itself: L = CE(f, f_w)."""

    @property
    def asks_student(self) -> bool:
        return False

    def target(self, x: ClassLogits, /) -> PerItem:
        return x.weak


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """(1 - a) f_w + a f_t: what the student holds itself, hardened, takes a share of the label.

    f_t is the student's class such that the classes' shares over the batch are the weak labels'
    (of two balanced classes: above or below the median). a rises from 0 to ``most`` over the first
    ``warmup`` of training. Schedule ``paper`` is linear and continuous; ``repo`` is the authors'
    code, where a is ``most`` times progress and jumps to ``most`` at its end. Raises ValueError
    unless 0 <= most <= 1 and 0 <= warmup <= 1.

    Deviation: more than two classes are our formulation, as the authors' code takes two only. The
    student's probabilities are scaled by (the weak labels' mean) / (its own mean) before its class
    is read, which balances the shares roughly, not exactly.
    """

    most: float = 0.75
    """Share of the target that is the student's own in the end; 0.5 for small students."""
    warmup: float = 0.2
    """Share of training over which it rises."""
    schedule: Literal["paper", "repo"] = "paper"
    """How it rises."""

    def __post_init__(self) -> None:
        for name, value in (("most", self.most), ("warmup", self.warmup)):
            if not 0 <= value <= 1:
                raise ValueError(f"Confidence.{name}: expected 0 to 1, got {value}")
        if self.schedule not in ("paper", "repo"):
            raise ValueError(f"Confidence.schedule: expected paper or repo, got {self.schedule!r}")

    @classmethod
    def of_repo(cls) -> "Confidence":
        """As the authors' code is run by default: half at most, from a tenth of training on."""
        return cls(most=0.5, warmup=WARMUP, schedule="repo")

    @property
    def asks_student(self) -> bool:
        return self.most > 0

    def share(self, progress: float) -> float:
        """a, after that share of training."""
        if progress > self.warmup or self.warmup == 0:
            return self.most
        return self.most * (progress if self.schedule == "repo" else progress / self.warmup)

    @torch.no_grad()
    def target(self, x: ClassLogits, /) -> PerItem:
        a = self.share(x.progress)
        return (1 - a) * x.weak + a * hardened(x.logits, x.weak)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOfExperts:
    """f^student f_w^weak, normalised: the weak label's posterior with the student as its prior.

    From the authors' code (``product_loss_fn``), which does not warm it up. A hard weak label is
    its own target: then this is plain cross-entropy. Raises ValueError for a negative power.
    """

    student: float = 1.0
    """Power of the student's probabilities."""
    weak: float = 1.0
    """Power of the weak label's."""

    def __post_init__(self) -> None:
        for name, value in (("student", self.student), ("weak", self.weak)):
            if value < 0:
                raise ValueError(f"ProductOfExperts.{name}: expected 0 or more, got {value}")

    @property
    def asks_student(self) -> bool:
        return self.student > 0

    @torch.no_grad()
    def target(self, x: ClassLogits, /) -> PerItem:
        # a power of 0 ignores that expert, also where its label is hard (0 log 0 is no number)
        said = self.weak * x.weak.log() if self.weak else torch.zeros_like(x.weak)
        return F.softmax(self.student * F.log_softmax(x.logits, dim=-1) + said, dim=-1)


@torch.no_grad()
def hardened(logits: PerItem, weak: PerItem) -> PerItem:
    """One class an item [N K], by the student's order, in the weak labels' shares of the batch."""
    if logits.shape[1] == 2:
        chosen = _upper_share(logits[:, 1] - logits[:, 0], float(weak[:, 1].mean()))
    else:
        own = F.softmax(logits, dim=-1)
        chosen = (own * weak.mean(dim=0) / own.mean(dim=0).clamp_min(1e-9)).argmax(dim=-1)
    return F.one_hot(chosen, num_classes=logits.shape[1]).to(logits.dtype)


def _upper_share(score: Float[Tensor, " N"], share: float) -> Tensor:
    """1 for the share of items with the highest scores; of equals, the later ones."""
    positives = round(share * len(score))
    upper = torch.zeros(len(score), dtype=torch.long, device=score.device)
    upper[score.argsort(stable=True)[len(score) - positives :]] = 1
    return upper


def cross_entropy(logits: PerItem, target: PerItem) -> Loss:
    """-(1/N) sum_k target log f, in nats an item; its weight is N, so chunks add up exactly.

    ``agrees`` is how often student and target have the same likeliest class, ``entropy`` the mean
    of the student's own, in nats.
    """
    logp = F.log_softmax(logits, dim=-1)
    losses = -(target * logp).sum(dim=-1)
    agrees = (logits.argmax(dim=-1) == target.argmax(dim=-1)).float().mean()
    entropy = torch.special.entr(logp.detach().exp()).sum(dim=-1).mean()
    return Loss(
        value=losses.mean(),
        weight=float(len(losses)),
        metrics={
            "loss": float(losses.mean().detach()),
            "agrees": float(agrees),
            "entropy": float(entropy),
        },
    )

"""Learning from completions marked one by one, desirable or not. axes: S completions."""

from dataclasses import dataclass

import torch

from solon.objectives.batch import Loss, MarkLogps


@dataclass(frozen=True, slots=True, kw_only=True)
class KTO:
    """lambda_D [1 - sigma(r - z)] where desirable, lambda_U [1 - sigma(z - r)] where not.

    r = beta log(policy / anchor), and z = beta KL(policy || anchor) takes no gradient (Ethayarajh
    et al., arXiv 2402.01306). ``accuracy`` is the share of completions on their own side of z, a
    tie counting as a half; ``margin`` is how far on that side they are, in reward.
    """

    beta: float = 0.1
    """Reward per nat of log(policy / anchor)."""
    desirable: float = 1.0
    """Weight of a desirable completion, lambda_D."""
    undesirable: float = 1.0
    """Weight of an undesirable completion, lambda_U."""

    def __call__(self, x: MarkLogps, /) -> Loss:
        rewards, reference = self.beta * (x.logps - x.anchor), self.beta * x.kl.detach()
        good = x.desirable.to(rewards.dtype)
        margins = (2 * good - 1) * (rewards - reference)
        weights = self.desirable * good + self.undesirable * (1 - good)
        value = (weights * torch.sigmoid(-margins)).mean()
        with torch.no_grad():
            means = {
                "accuracy": (1 + torch.sign(margins)) / 2,
                "margin": margins,
                "reward": rewards,
                "kl": x.kl,
                "desirable": good,
            }
            metrics = {name: float(each.mean()) for name, each in means.items()}
        return Loss(value=value, weight=float(len(margins)), metrics=metrics)

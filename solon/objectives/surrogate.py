"""The pieces that policy gradients are put together from.

axes: S sequences, T tokens. Losses are per token; ``reduce`` says what a mean is taken over.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from solon.objectives.batch import RolloutLogps
from solon.objectives.kl import k1, k3

Reduction = Literal["sequence_sum", "sequence_mean", "constant", "token_mean"]
Level = Literal["token", "sequence"]
Unfinished = Literal["keep", "replace", "penalise"]
Importance = Literal["none", "token", "sequence"]

LARGEST = 30.0  # nats of a log-ratio: far above any clip or cap


def score_function(
    logps: Float[Tensor, "S T"], advantages: Float[Tensor, "S T"]
) -> Float[Tensor, "S T"]:
    """-A_t log pi_t, whose gradient is REINFORCE's."""
    return -advantages * logps


def ratio(x: RolloutLogps, *, level: Level) -> Float[Tensor, "S T"]:
    """rho = policy / sampler, of each token or of the whole sequence (the same at every token)."""
    log_ratio = (x.logps - x.old) * x.mask
    if level == "sequence":
        log_ratio = log_ratio.sum(1, keepdim=True).expand_as(log_ratio)
    return torch.exp(log_ratio.clamp(max=LARGEST))  # an infinite one makes 0 x inf of a clip


def importance(x: RolloutLogps, *, level: Level, cap: float) -> Float[Tensor, "S T"]:
    """min(policy / sampler, cap): what a token, or a whole sequence, of the sampler's counts.

    Truncated importance sampling (Ionides 2008; for language models Yao et al. 2025, "Your
    efficient RL framework secretly brings you off-policy RL training").
    """
    return ratio(x, level=level).clamp(max=cap) * x.mask


def importance_metrics(x: RolloutLogps, weights: Float[Tensor, "S T"]) -> dict[str, float]:
    """How far the batch's sampler is from the learner: 1, 1 and 0 exactly for its own weights.

    ``importance_ess`` is Kish's effective share of tokens, (sum w)^2 / (n sum w^2); ``sampler_kl``
    is k3 of KL(sampler || policy), the mean over tokens in nats.
    """
    tokens = x.mask.sum().clamp_min(1)
    squares = weights.square().sum().clamp_min(1e-12)
    return {
        "importance_mean": float(weights.sum() / tokens),
        "importance_ess": float(weights.sum().square() / (tokens * squares)),
        "sampler_kl": float((k3(x.old, x.logps) * x.mask).sum() / tokens),
    }


def clipped(
    rho: Float[Tensor, "S T"],
    advantages: Float[Tensor, "S T"],
    clips: tuple[float, float],
) -> tuple[Float[Tensor, "S T"], Bool[Tensor, "S T"]]:
    """max(-A rho, -A clip(rho, 1 - low, 1 + high)), and where the clip took the gradient.

    PPO, arXiv 1707.06347, eq. 7; with high > low, DAPO, arXiv 2503.14476, eq. 8.
    """
    low, high = clips
    free, held = -advantages * rho, -advantages * rho.clamp(1 - low, 1 + high)
    return torch.maximum(free, held), held > free


def value_error(
    values: Float[Tensor, "S T"],
    targets: Float[Tensor, "S T"],
    old: Float[Tensor, "S T"],
    clip: float,
) -> Float[Tensor, "S T"]:
    """max((V - Z)^2, (clip(V, V_old +- clip) - Z)^2) / 2: PPO's value loss of each token."""
    held = old + (values - old).clamp(-clip, clip)
    return torch.maximum((values - targets).square(), (held - targets).square()) / 2


def reduce(
    losses: Float[Tensor, "S T"], mask: Float[Tensor, "S T"], how: Reduction, longest: int = 1
) -> tuple[Float[Tensor, ""], float]:
    """The scalar loss, and the number of units it is the mean of.

    sequence_sum: sum over tokens, mean over sequences. sequence_mean: mean over the tokens of each
    sequence, mean over sequences (GRPO). constant: sequence_sum divided by ``longest`` (Dr. GRPO).
    token_mean: mean over all tokens of the batch (DAPO, PPO). Sequences without a token count as 0.
    """
    if how == "token_mean":
        tokens = mask.sum()
        return (losses * mask).sum() / tokens.clamp_min(1), float(tokens)
    sums = (losses * mask).sum(1)
    if how == "sequence_mean":
        sums = sums / mask.sum(1).clamp_min(1)
    return sums.mean() / (longest if how == "constant" else 1), float(len(mask))


def scored(x: RolloutLogps, unfinished: Unfinished, score: float) -> Float[Tensor, " S"]:
    """Rewards, with those of unfinished completions replaced by ``score``, or with it added.

    "replace" is the EOS trick of "The N+ implementation details" (arXiv 2403.17031); "penalise" is
    TRL's missing-EOS penalty, ``score`` being negative. They are not the same.
    """
    if unfinished == "keep":
        return x.rewards
    changed = x.rewards + score if unfinished == "penalise" else torch.full_like(x.rewards, score)
    return torch.where(x.finished, x.rewards, changed)


def overlong(lengths: Float[Tensor, " S"], *, longest: int, cache: int) -> Float[Tensor, " S"]:
    """0 up to longest - cache tokens, then linearly down to -1 at ``longest`` (DAPO, eq. 13)."""
    return ((longest - cache - lengths) / cache).clamp(-1.0, 0.0)


def batch_metrics(x: RolloutLogps, advantages: Float[Tensor, "S T"]) -> dict[str, float]:
    """Of the batch as it was sampled: reward, KL in nats a sequence, entropy in nats a token."""
    tokens = x.mask.sum().clamp_min(1)
    mean = (advantages * x.mask).sum() / tokens
    spread = ((advantages - mean).square() * x.mask).sum() / tokens
    return {
        "reward": float(x.rewards.mean()),
        "kl": float((k1(x.old, x.anchor) * x.mask).sum(1).mean()),
        "advantage_std": float(spread.sqrt()),
        "eos_rate": float(x.finished.to(x.rewards.dtype).mean()),
        "length": float(x.mask.sum(1).mean()),
        "entropy": float(-(x.old * x.mask).sum() / tokens),
    }


def explained_variance(
    targets: Float[Tensor, "S T"], values: Float[Tensor, "S T"], mask: Float[Tensor, "S T"]
) -> float:
    """1 - Var(Z - V) / Var(Z) over tokens: below 0, the value head is worse than no baseline."""
    there = mask > 0
    missed, spread = ((v[there]).var(correction=0) for v in (targets - values, targets))
    return float(1 - missed / spread.clamp_min(1e-12))


def ratio_metrics(
    x: RolloutLogps, rho: Float[Tensor, "S T"], held: Bool[Tensor, "S T"]
) -> dict[str, float]:
    """How far the policy has left the sampler: 1, 0 and 0 exactly before the first update.

    ``approx_kl`` is k3 of KL(sampler || policy), the mean over tokens in nats.
    """
    tokens = x.mask.sum().clamp_min(1)
    return {
        "ratio_mean": float((rho.detach() * x.mask).sum() / tokens),
        "clip_fraction": float((held * x.mask).sum() / tokens),
        "approx_kl": float((k3(x.old, x.logps.detach()) * x.mask).sum() / tokens),
    }

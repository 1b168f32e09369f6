"""What a loss sees.

axes: S sequences, T tokens of the longest completion, P pairs. Log-probabilities are in nats and
sum (never average) over the tokens of a completion unless a name says otherwise. Positions past a
completion's end hold 0 and ``mask`` 0.
"""

from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A scalar to differentiate, and what to log.

    ``weight`` is the number of units (pairs, sequences or tokens) that ``value`` is the mean of.
    A learner may cut a batch into chunks that fit its memory: the loss of the whole is the
    weighted mean of the chunks' values, and its gradient is exact. So are the metrics, which are
    means over ``metrics_weight`` units: the loss's own, where it is None.

    Example:
        Loss(value=tensor(0.69), weight=8.0, metrics={"accuracy": 0.5})
    """

    value: Float[Tensor, ""]
    weight: float
    metrics: dict[str, float] = field(default_factory=dict)
    metrics_weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLogps:
    """Completions to imitate.

    Example:
        TextLogps(logps=tensor([[-0.7, -0.3]]), mask=tensor([[1.0, 1.0]]))
    """

    logps: Float[Tensor, "S T"]
    mask: Float[Tensor, "S T"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLogps:
    """Summed log-probabilities of chosen and rejected under policy and anchor.

    ``p`` is the soft label P(chosen is better); ``*_tokens`` are the completions' lengths.
    ``weight`` is how much a pair counts in the batch's mean (None: all alike), a constant.

    Example:
        PairLogps(chosen=tensor([-4.0]), rejected=tensor([-5.0]), anchor_chosen=tensor([-4.2]),
                  anchor_rejected=tensor([-4.9]), p=tensor([0.8]),
                  chosen_tokens=tensor([6.0]), rejected_tokens=tensor([7.0]))
    """

    chosen: Float[Tensor, " P"]
    rejected: Float[Tensor, " P"]
    anchor_chosen: Float[Tensor, " P"]
    anchor_rejected: Float[Tensor, " P"]
    p: Float[Tensor, " P"]
    chosen_tokens: Float[Tensor, " P"]
    rejected_tokens: Float[Tensor, " P"]
    weight: Float[Tensor, " P"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLogps:
    """Summed log-probabilities of completions that were marked one by one, desirable or not.

    ``kl`` is the batch's reference point, the same at every row: an estimate, without gradient and
    at least 0, of KL(policy || anchor) in nats from completions that answer another prompt.

    Example:
        MarkLogps(logps=tensor([-4.0, -6.0]), anchor=tensor([-4.2, -5.5]),
                  desirable=tensor([True, False]), kl=tensor([0.1, 0.1]))
    """

    logps: Float[Tensor, " S"]
    anchor: Float[Tensor, " S"]
    desirable: Bool[Tensor, " S"]
    kl: Float[Tensor, " S"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRewards:
    """Scalar rewards of chosen and rejected, and the soft label.

    Example:
        PairRewards(chosen=tensor([0.4]), rejected=tensor([-0.1]), p=tensor([0.8]))
    """

    chosen: Float[Tensor, " P"]
    rejected: Float[Tensor, " P"]
    p: Float[Tensor, " P"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutLogps:
    """Sampled completions with their rewards.

    ``logps`` (differentiable) are the current policy's, ``old`` the sampler's, ``anchor`` the
    reference's, all at the sampling temperature. ``groups`` numbers siblings. ``finished`` is
    False where the length limit cut the completion. ``values[s, t]`` is V of the state before
    token t, where a value head exists.

    Example:
        RolloutLogps(logps=l, old=l.detach(), anchor=a, mask=m, rewards=tensor([0.4, -0.2]),
                     groups=tensor([0, 0]), finished=tensor([True, True]), values=None)
    """

    logps: Float[Tensor, "S T"]
    old: Float[Tensor, "S T"]
    anchor: Float[Tensor, "S T"]
    mask: Float[Tensor, "S T"]
    rewards: Float[Tensor, " S"]
    groups: Int[Tensor, " S"]
    finished: Bool[Tensor, " S"]
    values: Float[Tensor, "S T"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """How much better than expected each token was: computed once per batch, without gradient.

    ``returns`` are the value head's targets, and ``old_values`` what it said when they were made.
    ``kept`` is False for the sequences that count in no mean (None: all count). Where the
    objective tells the learner from the sampler, ``proximal`` are the learner's log-probabilities
    when the batch came, and ``weights`` what each token's loss counts.

    Example:
        Credit(advantages=tensor([[0.3, 0.3], [-0.3, -0.3]]), metrics={"kl": 0.02})
    """

    advantages: Float[Tensor, "S T"]
    returns: Float[Tensor, "S T"] | None = None
    old_values: Float[Tensor, "S T"] | None = None
    kept: Bool[Tensor, " S"] | None = None
    proximal: Float[Tensor, "S T"] | None = None
    weights: Float[Tensor, "S T"] | None = None
    metrics: dict[str, float] = field(default_factory=dict)


Rows = TypeVar("Rows", TextLogps, PairLogps, MarkLogps, PairRewards, RolloutLogps, Credit)


def rows(x: Rows, index: Int[Tensor, " N"]) -> Rows:
    """The sequences or pairs ``index`` of x: a minibatch, or a chunk that fits the memory."""
    tensors = {f.name: getattr(x, f.name) for f in fields(x)}
    return replace(x, **{k: v[index] for k, v in tensors.items() if isinstance(v, Tensor)})

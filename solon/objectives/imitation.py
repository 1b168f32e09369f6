"""Learning by imitation."""

from dataclasses import dataclass

from solon.objectives.batch import Loss, TextLogps


@dataclass(frozen=True, slots=True)
class NLL:
    """-(1/N) sum log pi(token) over the N tokens of the batch, in nats a token.

    A mean over tokens, not over completions: a long completion weighs more than a short one.
    """

    def __call__(self, x: TextLogps, /) -> Loss:
        tokens = x.mask.sum()
        value = -(x.logps * x.mask).sum() / tokens.clamp_min(1)
        return Loss(value=value, weight=float(tokens), metrics={"nll": float(value.detach())})

"""From losses to updates: exact accumulation over chunks, clipping, schedule, AdamW."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from solon.engines.local.saving import load_tensors, save_tensors
from solon.errors import SolonError
from solon.objectives.adam import Adam, Sgd
from solon.objectives.batch import Loss


@dataclass(slots=True)
class Mean:
    """Weighted means of metrics."""

    weight: float = 0.0
    sums: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))

    def add(self, metrics: Mapping[str, float], weight: float = 1.0) -> None:
        self.weight += weight
        for name, value in metrics.items():
            self.sums[name] += weight * value

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return ((name, value / self.weight) for name, value in self.sums.items())


def _built(sets: Sequence[Sequence[nn.Parameter]], adam: Adam | Sgd) -> torch.optim.Optimizer:
    groups = [{"params": parameters} for parameters in sets]
    if isinstance(adam, Sgd):
        return torch.optim.SGD(
            groups, lr=adam.lr, momentum=adam.momentum, weight_decay=adam.weight_decay
        )
    return torch.optim.AdamW(
        groups,
        lr=adam.lr,
        betas=(adam.beta1, adam.beta2),
        eps=adam.eps,
        weight_decay=adam.weight_decay,
        fused=True,
    )


class Optimiser:
    """AdamW, or SGD, over some parameters, at its rate, with clipping of each set's norm.

    ``sets`` are clipped and stepped apart: a policy and its value network.
    """

    def __init__(self, sets: Sequence[Sequence[nn.Parameter]], adam: Adam | Sgd) -> None:
        self.adam = adam
        self.steps = 0
        self.sets = [list(parameters) for parameters in sets]
        self.inner = _built(self.sets, adam)

    def add(self, parameters: Sequence[nn.Parameter]) -> None:
        """One more set, which learns at the same rate from now on."""
        self.sets.append(list(parameters))
        self.inner.add_param_group({"params": self.sets[-1]})

    def update(self, losses: Iterable[Loss], *, what: str) -> dict[str, float]:
        """One update on the weighted mean of the chunks' losses, which are taken one at a time.

        Raises SolonError, and changes nothing, where the loss or the gradient is not finite.
        """
        mean = Mean()
        for loss in losses:
            if not loss.weight:
                continue
            value = loss.value.item()
            if not math.isfinite(value):
                self._refuse(what, "loss", value)
            (loss.value * loss.weight).backward()
            mean.add({"loss": value, **loss.metrics}, loss.weight)
        if not mean.weight:  # every sequence was filtered out by the objective
            return {"loss": 0.0, "grad_norm": 0.0, "lr": 0.0, "skipped": 1.0}
        norm = self._clip(mean.weight, what)
        rate = self.adam.rate(self.steps)
        for group in self.inner.param_groups:
            group["lr"] = rate
        self.inner.step()
        self.inner.zero_grad(set_to_none=True)
        self.steps += 1
        return {**dict(mean), "grad_norm": norm, "lr": rate}

    def _clip(self, weight: float, what: str) -> float:
        """Divides the summed gradients by the weight and clips each set; the first set's norm."""
        norms: list[float] = []
        for parameters in self.sets:
            gradients: list[Tensor] = [p.grad for p in parameters if p.grad is not None]
            if not gradients:
                continue
            norm = torch.nn.utils.get_total_norm(gradients).item() / weight
            if not math.isfinite(norm):
                self._refuse(what, "gradient norm", norm)
            norms.append(norm)
            factor = min(1.0, self.adam.clip / (norm + 1e-6)) if self.adam.clip else 1.0
            if factor / weight != 1.0:
                for gradient in gradients:
                    gradient.mul_(factor / weight)
        return norms[0] if norms else 0.0

    def _refuse(self, what: str, name: str, value: float) -> None:
        self.inner.zero_grad(set_to_none=True)
        raise SolonError(
            f"{what}, update {self.steps}: expected a finite {name}, got {value}; no weight was "
            "changed: lower adam.lr, or look at this batch's rewards"
        )

    def save(self, file: Path) -> None:
        save_tensors(file, {"adamw": self.inner.state_dict(), "steps": self.steps})

    def load(self, file: Path) -> None:
        kept = load_tensors(file)
        self.inner.load_state_dict(kept["adamw"])
        self.steps = int(kept["steps"])

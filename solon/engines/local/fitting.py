"""From losses to updates: exact accumulation over chunks, clipping, schedule, AdamW."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from solon.engines.local.masters import Masters
from solon.engines.local.spread import all_of, in_parts, laid_like
from solon.engines.local.tensors import Tensors, write_tensors
from solon.errors import SolonError
from solon.objectives.adam import Adam, Sgd
from solon.objectives.batch import Loss
from solon.run.ranks import Alone, Ranks


@dataclass(slots=True)
class Mean:
    """Weighted means of metrics, each over what reports it."""

    weights: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    sums: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))

    def add(self, metrics: Mapping[str, float], weight: float = 1.0) -> None:
        if not weight:
            return
        for name, value in metrics.items():
            self.weights[name] += weight
            self.sums[name] += weight * value

    def join(self, other: Mean) -> None:
        """Becomes the mean of both."""
        for name, value in other.sums.items():
            self.weights[name] += other.weights[name]
            self.sums[name] += value

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return ((name, value / self.weights[name]) for name, value in self.sums.items())


def _built(sets: Sequence[Masters], adam: Adam | Sgd) -> torch.optim.Optimizer:
    groups = [{"params": masters.own} for masters in sets]
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

    ``sets`` are clipped and stepped apart: a policy and its value network. Over several ``ranks``
    an update is on the losses of all, by the sum of their gradients, and is the same in each.
    Weights of fewer than 32 bits have float32 masters. Nothing is allocated before the first
    update: a model that only samples pays for no optimiser.
    """

    def __init__(
        self,
        sets: Sequence[Sequence[nn.Parameter]],
        adam: Adam | Sgd,
        *,
        ranks: Ranks = Alone(),
    ) -> None:
        self.adam = adam
        self.ranks = ranks
        self.steps = 0
        self.sets = [list(parameters) for parameters in sets]
        self._masters: list[Masters] = []
        self._inner: torch.optim.Optimizer | None = None

    @property
    def inner(self) -> torch.optim.Optimizer:
        """torch's own, over the masters."""
        if self._inner is None:
            self._masters = [Masters(parameters) for parameters in self.sets]
            self._inner = _built(self._masters, self.adam)
        return self._inner

    def add(self, parameters: Sequence[nn.Parameter]) -> None:
        """One more set, which learns at the same rate from now on."""
        self.sets.append(list(parameters))
        if self._inner is not None:
            self._masters.append(Masters(self.sets[-1]))
            self._inner.add_param_group({"params": self._masters[-1].own})

    def update(self, losses: Iterable[Loss], *, what: str) -> dict[str, float]:
        """One update on the weighted mean of the chunks' losses, which are taken one at a time.

        Where no loss weighs anything there is none, and nothing is said but that it was skipped.
        Raises SolonError, and changes nothing, where the loss or the gradient is not finite.
        """
        inner = self.inner
        mean = self._accumulated(losses)
        weight = mean.weights["loss"]
        if not weight:  # every sequence was filtered out by the objective
            inner.zero_grad(set_to_none=True)
            return {"skipped": 1.0}
        metrics = dict(mean)
        if not math.isfinite(metrics["loss"]):
            self._refuse(what, "loss", metrics["loss"])
        norm = self._clip(weight, what)
        rate = self.adam.rate(self.steps)
        for group in inner.param_groups:
            group["lr"] = rate
        inner.step()
        inner.zero_grad(set_to_none=True)
        for masters in self._masters:
            masters.give()
        self.steps += 1
        return {**metrics, "grad_norm": norm, "lr": rate}

    def _accumulated(self, losses: Iterable[Loss]) -> Mean:
        """The mean over all processes; gradients are summed over the chunks of this one."""
        # gradients in parts are summed by the backward pass itself, which all must then make
        together = any(in_parts(p) for parameters in self.sets for p in parameters)
        mean = Mean()
        for loss in losses:
            if loss.weight or together:
                (loss.value * loss.weight).backward()
                for masters in self._masters:
                    masters.take()
            if loss.weight:
                own = loss.metrics_weight
                told = {"loss": loss.value.item(), **loss.metrics}  # a method may tell its own
                mean.add({"loss": told.pop("loss")}, loss.weight)
                mean.add(told, loss.weight if own is None else own)
        first, *others = self.ranks.gathered(mean)
        for other in others:
            first.join(other)
        return first

    def _gradients(self, parameters: Sequence[nn.Parameter]) -> list[Tensor]:
        """Of those that any process has used, summed over the processes."""
        used = [p.grad is not None for p in parameters]
        anywhere = [any(column) for column in zip(*self.ranks.gathered(used), strict=True)]
        gradients: list[Tensor] = []
        for parameter, wanted in zip(parameters, anywhere, strict=True):
            if wanted and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            if parameter.grad is not None:
                gradients.append(parameter.grad)
        self.ranks.add_up([one for one in gradients if not in_parts(one)])
        return gradients

    def _clip(self, weight: float, what: str) -> float:
        """Divides the summed gradients by the weight and clips each set; the first set's norm."""
        norms: list[float] = []
        for masters in self._masters:
            gradients = self._gradients(masters.own)
            if not gradients:
                continue
            norm = all_of(torch.nn.utils.get_total_norm(gradients)).item() / weight
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
            "changed: lower the learning rate (lr), or look at this batch's rewards"
        )

    def save(self, file: Path) -> None:
        """The same file from any number of processes, which the first of them writes."""
        kept = {"steps": torch.tensor(self.steps)}
        for number, moments in self.inner.state_dict()["state"].items():
            kept |= {f"moments.{number}.{name}": moment for name, moment in moments.items()}
        for place, masters in enumerate(self._masters):
            kept |= {f"masters.{place}.{number}": one for number, one in masters.kept().items()}
        write_tensors(file, kept, rank=self.ranks.rank)

    def load(self, file: Path) -> None:
        """Goes back to what ``save`` wrote, in any number of processes: each reads its own part."""
        inner, kept = self.inner, Tensors.of([file])
        own = [master for masters in self._masters for master in masters.own]
        state: dict[int, dict[str, Tensor]] = defaultdict(dict)
        for name in kept:
            kind, *place = name.split(".")
            if kind == "moments":
                number, moment = int(place[0]), place[1]
                state[number][moment] = _read(kept, name, own[number])
            elif kind == "masters":
                masters, number = self._masters[int(place[0])], int(place[1])
                masters.put({number: _read(kept, name, masters.own[number])})
        groups = inner.state_dict()["param_groups"]
        inner.load_state_dict({"state": dict(state), "param_groups": groups})
        self.steps = int(kept.rows("steps", slice(None)))


def _read(kept: Tensors, name: str, master: Tensor) -> Tensor:
    """What belongs to a master, laid as it is; AdamW's own count of steps is a mere number."""
    rows = partial(kept.rows, name)
    return laid_like(master, rows, master.device) if kept.shape(name) else rows(slice(None))

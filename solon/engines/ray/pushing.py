"""Weights on their way: put into the object store once, read by each copy when it must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import ray
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from solon.engines.local.choosing import choose
from solon.engines.local.transformer import Transformer
from solon.engines.local.voice import Voice
from solon.records import Abstains, Completion, Group, Prompt
from solon.run.run import Run

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """Weights in the object store; ``serial`` tells apart what the id cannot, such as a resume.

    Example:
        Pushed.of("policy@3", decoder.trained(), serial=4)
    """

    id: str
    serial: int
    ref: Any

    @classmethod
    def of(cls, id: str, weights: Mapping[str, Tensor], *, serial: int) -> Self:  # noqa: A002 - the seam's word
        return cls(id=id, serial=serial, ref=ray.put({n: _bytes(w) for n, w in weights.items()}))


def _bytes(weight: Tensor) -> Bytes:
    """Its memory as it is: numpy knows no bfloat16."""
    return weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def _wear(found: Mapping[str, Bytes], into: Mapping[str, nn.Parameter]) -> None:
    assert found.keys() == into.keys(), "a copy has the parameters that learn"
    with torch.no_grad():
        for name, parameter in into.items():
            told = torch.from_numpy(found[name].copy())  # what Ray lends is read-only
            parameter.copy_(told.view(parameter.dtype).view(parameter.shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """The part that a copy opens where a Transformer learns in the driver.

    Example:
        Sampled(policy=Transformer(model="models/base")).open(run).sample(prompts, n=2, pushed=...)
    """

    policy: Transformer
    """What it samples as; its weights are those that a question comes with."""

    def open(self, run: Run, /) -> Sampler:
        local = self.policy.open(run)
        return Sampler(id=local.name, voice=local.voice)


@dataclass(slots=True, kw_only=True)
class Sampler:
    """A voice that takes on whichever weights a question is for."""

    id: str
    voice: Voice
    serial: int = 0

    def sample(self, prompts: Sequence[Prompt], *, n: int, pushed: Pushed) -> list[Group]:
        self._take(pushed)
        return self.voice.sample(prompts, n, pushed.id)

    def logp(self, completions: Sequence[Completion], *, pushed: Pushed) -> list[float]:
        self._take(pushed)
        return self.voice.logp(completions)

    def choose(
        self, prompts: Sequence[Prompt], *, choices: Sequence[str], cue: str, pushed: Pushed
    ) -> list[tuple[float, ...] | Abstains]:
        self._take(pushed)
        return choose(self.voice, prompts, choices, cue)

    def _take(self, pushed: Pushed) -> None:
        if pushed.serial != self.serial:
            _wear(ray.get(pushed.ref), self.voice.decoder.trained())
            self.serial = pushed.serial

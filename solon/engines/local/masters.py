"""What an optimiser steps where weights are kept in few bits.

AdamW at a rate of 1e-6 moves a weight of 0.02 by a part in 20,000. bfloat16 knows parts of 256, so
that every such update would be rounded away, and a small gradient added to a large one too. Hence a
float32 master of each weight (arXiv:1710.03740), on which gradients are summed and updates made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


def master_of(parameter: nn.Parameter) -> nn.Parameter:
    """Its float32 copy; a parameter of float32 or more is its own master."""
    if torch.finfo(parameter.dtype).bits >= 32:
        return parameter
    return nn.Parameter(parameter.detach().float())


@dataclass(slots=True)
class Masters:
    """The masters of some parameters, in their order; where weights lie in parts, they do too.

    Example:
        masters = Masters(list(model.parameters()))
        loss.backward()
        masters.take()      # gradients go to the masters
        optimiser.step()    # over masters.own
        masters.give()      # the weights follow, rounded
    """

    parameters: list[nn.Parameter]
    own: list[nn.Parameter] = field(init=False)

    def __post_init__(self) -> None:
        self.own = [master_of(one) for one in self.parameters]

    def take(self) -> None:
        """Adds the parameters' gradients to their masters', and clears them."""
        for parameter, master in self._apart():
            if parameter.grad is None:
                continue
            if master.grad is None:
                master.grad = parameter.grad.float()
            else:
                master.grad.add_(parameter.grad)
            parameter.grad = None

    @torch.no_grad()
    def give(self) -> None:
        """The parameters become their masters, rounded."""
        for parameter, master in self._apart():
            parameter.copy_(master)

    def kept(self) -> dict[int, Tensor]:
        """What resuming needs beside the weights: the masters that are not the weights themselves,
        by number.
        """
        return {
            number: master.detach()
            for number, (parameter, master) in enumerate(
                zip(self.parameters, self.own, strict=True)
            )
            if master is not parameter
        }

    @torch.no_grad()
    def put(self, kept: Mapping[int, Tensor]) -> None:
        """Goes back to what ``kept`` gave."""
        for number, master in kept.items():
            self.own[number].copy_(master)

    def _apart(self) -> Sequence[tuple[nn.Parameter, nn.Parameter]]:
        together = zip(self.parameters, self.own, strict=True)
        return [(parameter, master) for parameter, master in together if master is not parameter]

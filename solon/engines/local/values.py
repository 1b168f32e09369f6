"""A value network: what reward a policy may expect from each state on.

axes: S sequences, T tokens of the longest completion
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from solon.engines.local.decoder import Decoder
from solon.engines.local.layout import Row
from solon.engines.local.spread import Spread


@dataclass(slots=True)
class Critic:
    """A trunk of its own, begun as a copy of the policy's, under a scalar head that begins at 0."""

    trunk: nn.Module
    head: nn.Linear
    decoder: Decoder
    spread: Spread

    @classmethod
    def of(cls, decoder: Decoder) -> Critic:
        trunk = decoder.merged().base_model.requires_grad_(True)
        # in the trunk's precision: FSDP2 keeps the two together, and knows one precision
        head = nn.Linear(hidden_size(decoder), 1, device=decoder.device, dtype=decoder.model.dtype)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
        both = nn.Module()
        both.trunk, both.head = trunk, head
        return cls(trunk, head, decoder, decoder.spread.again(both)[1])

    def trained(self) -> dict[str, nn.Parameter]:
        named = {f"trunk.{name}": p for name, p in self.trunk.named_parameters()}
        return named | {f"head.{name}": p for name, p in self.head.named_parameters()}

    def values(self, rows: Sequence[Row]) -> Tensor:
        """[S T], float32: V of the state before each token, read where that token is predicted."""
        layout = self.decoder.lay_out(rows)

        def values() -> Tensor:
            states = self.decoder.hidden(layout, trunk=self.trunk)
            at = states.index_select(0, layout.scored)
            return F.linear(at.float(), self.head.weight.float(), self.head.bias.float())

        return layout.matrix(self.spread.through(values)[:, 0])


def hidden_size(decoder: Decoder) -> int:
    return int(decoder.model.config.get_text_config().hidden_size)

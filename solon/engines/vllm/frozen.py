"""Weights that no longer change, sampled by vLLM and scored here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.engines.local.frozen import FrozenPolicy
from solon.engines.vllm.channel import Channel
from solon.records import Group, Prompt


@dataclass(slots=True, kw_only=True)
class VllmFrozen(FrozenPolicy):
    """A frozen local policy, of which vLLM draws the samples; a learner takes it as its anchor."""

    channel: Channel

    @classmethod
    def of(cls, frozen: FrozenPolicy, channel: Channel) -> VllmFrozen:
        """The same weights, sampled through the channel."""
        return cls(
            id=frozen.id,
            voice=frozen.voice,
            shared=frozen.shared,
            adapter=frozen.adapter,
            channel=channel,
        )

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        with self.worn():
            return self.channel.sample(self.voice, self.id, prompts, n)

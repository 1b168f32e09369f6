"""Prompts, and a learner that learns something of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solon.engines.vllm import VllmLearner
from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.records import Completion, Group, Prompt

PROMPTS = [Prompt.of(text, id=text) for text in ("a b", "c", "d e f", "h")]


def teach(policy: VllmLearner, steps: int = 2) -> dict[str, float]:
    """Towards "d e f"; the metrics of the first update."""
    policy.optimise(Adam(lr=0.05))
    batch = [Completion(prompt=prompt, text="d e f") for prompt in PROMPTS]
    first, *_ = [dict(policy.fit_texts(batch, NLL())) for _ in range(steps)]
    return first


def flat(groups: Sequence[Group]) -> list[Completion]:
    return [one for group in groups for one in group.completions]


def gap(policy: VllmLearner, completions: Sequence[Completion]) -> float:
    """The largest difference between recorded log-probabilities and the learner's now."""
    voice = policy.local.voice
    own = voice.token_logps(voice.rows(completions), voice.manner.scale)
    return max(
        float(abs(mine - np.asarray(one.logps)).max())
        for mine, one in zip(own, completions, strict=True)
    )

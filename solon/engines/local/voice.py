"""What a policy can say without learning: sample, score, choose.

axes: S sequences, T tokens of the longest completion
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from solon.engines.local.decoder import Decoder
from solon.engines.local.layout import Ids, Row, cut
from solon.engines.local.sampling import Drawn, Manner, draw, uniforms
from solon.engines.local.words import Words
from solon.records import Completion, Group, Prompt

# A place in the store of keys and values costs far less than a token of a training step.
PLACES_PER_TOKEN = 4

Logps = NDArray[np.float32]


@dataclass(slots=True, kw_only=True)
class Voice:
    """A decoder with its words and its manner of sampling."""

    decoder: Decoder
    words: Words
    manner: Manner
    stops: frozenset[int]
    tokens_per_chunk: int
    seed_for: Callable[..., int]

    def sample(self, prompts: Sequence[Prompt], n: int, policy: str) -> list[Group]:
        """n completions of each prompt, the noise of each drawn from (run, policy, prompt, which of
        that prompt's occurrences in this call, sibling).
        """
        ids = [self.words.prompt(prompt) for prompt in prompts]
        seen = Counter[str]()
        noise: list[NDArray[np.float64]] = []
        for prompt, encoded in zip(prompts, ids, strict=True):
            steps = min(self.manner.max_new_tokens, self.words.context - len(encoded))
            for sibling in range(n):
                request = (policy, prompt.id, seen[prompt.id], sibling)
                noise.append(uniforms(self.seed_for("sample", *request), steps))
            seen[prompt.id] += 1
        drawn = draw(
            self.decoder,
            [encoded for encoded in ids for _ in range(n)],
            noise,
            self.manner,
            stops=self.stops,
            budget=PLACES_PER_TOKEN * self.tokens_per_chunk,
        )
        return [
            Group(
                completions=tuple(
                    self._completion(prompt, d, policy) for d in drawn[i * n : i * n + n]
                )
            )
            for i, prompt in enumerate(prompts)
        ]

    def _completion(self, prompt: Prompt, drawn: Drawn, policy: str) -> Completion:
        return Completion(
            prompt=prompt,
            text=self.words.text(drawn.tokens),
            policy=policy,
            tokens=tuple(drawn.tokens),
            logps=tuple(drawn.logps),
            finish="stop" if drawn.finished else "length",
        )

    def copied(self) -> Voice:
        """The same voice over a copy of the weights that does not learn."""
        own = self.decoder
        return replace(self, decoder=Decoder(own.merged(), packed=own.packed, walk=own.walk))

    def rows(self, completions: Sequence[Completion]) -> list[Row]:
        return [self.words.row(completion) for completion in completions]

    def token_logps(self, rows: Sequence[Row], temperature: float) -> list[Logps]:
        """Log-probabilities in nats of each completion's tokens, without gradient."""
        found: list[Logps] = [np.zeros(0, dtype=np.float32)] * len(rows)
        with torch.no_grad():
            for chunk in cut([[row] for row in rows], self.tokens_per_chunk):
                logps, _ = self.decoder.logps([rows[i] for i in chunk], temperature)
                for i, values in zip(chunk, logps.cpu().numpy(), strict=True):
                    found[i] = values[: len(rows[i].completion)].copy()
        return found

    def logp(self, completions: Sequence[Completion]) -> list[float]:
        """Summed log-probabilities in nats, at temperature 1."""
        return [
            float(x.sum(dtype=np.float64)) for x in self.token_logps(self.rows(completions), 1.0)
        ]


def matrix(logps: Sequence[Logps], device: torch.device) -> Tensor:
    """Token log-probabilities of different lengths as [S T], 0 past the ends."""
    table = np.zeros((len(logps), max([1, *map(len, logps)])), dtype=np.float32)
    for row, values in enumerate(logps):
        table[row, : len(values)] = values
    return torch.as_tensor(table, device=device)


def key(row: Row, temperature: float) -> tuple[Ids, Ids, float]:
    """What the log-probabilities of a row depend on, given the weights."""
    return row.prompt, row.completion, temperature

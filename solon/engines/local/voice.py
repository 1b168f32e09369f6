"""What a policy can say without learning: sample, score, choose.

axes: S sequences, T tokens of the longest completion
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from solon.engines.local.decoder import Decoder
from solon.engines.local.layout import Ids, Row
from solon.engines.local.sampling import Drawn, Manner, draw, uniforms
from solon.engines.local.saving import save_model
from solon.engines.local.sharing import Shares, deal
from solon.engines.local.words import Words
from solon.records import Completion, Group, Prompt
from solon.run.ranks import Ranks, at_work

# A place in the store of keys and values costs far less than a token of a training step.
PLACES_PER_TOKEN = 4

Logps = NDArray[np.float32]


@dataclass(slots=True, kw_only=True)
class Voice:
    """A decoder with its words and its manner of sampling; ``ranks`` share its work."""

    decoder: Decoder
    words: Words
    manner: Manner
    stops: frozenset[int]
    tokens_per_chunk: int
    seed_for: Callable[..., int]
    ranks: Ranks = field(default_factory=at_work)

    @property
    def shares(self) -> Shares:
        """How a batch is worked on."""
        return Shares(budget=self.tokens_per_chunk, ranks=self.ranks, spread=self.decoder.spread)

    def sample(self, prompts: Sequence[Prompt], n: int, policy: str) -> list[Group]:
        """n completions of each prompt, the noise of each drawn from (run, policy, prompt, which of
        that prompt's occurrences in this call, sibling).
        """
        ids = [self.words.prompt(prompt) for prompt in prompts]
        seen = Counter[str]()
        seeds: list[list[int]] = []
        for prompt in prompts:
            request = (policy, prompt.id, seen[prompt.id])
            seeds.append([self.seed_for("sample", *request, sibling) for sibling in range(n)])
            seen[prompt.id] += 1
        hands = deal([[Row(prompt=one, completion=())] for one in ids], self.ranks.count)
        mine = hands[self.ranks.rank]
        with self.decoder.held(), self.decoder.sampling():
            drawn = self._drawn([ids[i] for i in mine], [seeds[i] for i in mine])
        told = {i: one for part in self.ranks.gathered(_dealt(mine, drawn, n)) for i, one in part}
        return [
            Group(completions=tuple(d.completion(prompt, self.words, policy) for d in told[i]))
            for i, prompt in enumerate(prompts)
        ]

    def _drawn(self, ids: Sequence[Ids], seeds: Sequence[Sequence[int]]) -> list[Drawn]:
        """One for each seed, siblings side by side."""
        noise: list[NDArray[np.float64]] = []
        for encoded, own in zip(ids, seeds, strict=True):
            steps = min(self.manner.max_new_tokens, self.words.context - len(encoded))
            noise += [uniforms(seed, steps) for seed in own]
        return draw(
            self.decoder,
            [encoded for encoded, own in zip(ids, seeds, strict=True) for _ in own],
            noise,
            self.manner,
            stops=self.stops,
            budget=PLACES_PER_TOKEN * self.tokens_per_chunk,
        )

    def copied(self) -> Voice:
        """The same voice over a copy of the weights that does not learn."""
        return replace(self, decoder=self.decoder.copied())

    def save(self, folder: Path, policy: str) -> None:
        """A Hugging Face folder, adapters folded in; the first process writes it."""
        decoder = self.decoder
        model = decoder.model if decoder.adapter is None else decoder.merged()
        save_model(folder, model, self.words.tokenizer, rank=self.ranks.rank, id=policy)

    def rows(self, completions: Sequence[Completion]) -> list[Row]:
        return [self.words.row(completion) for completion in completions]

    def token_logps(self, rows: Sequence[Row], temperature: float) -> list[Logps]:
        """Log-probabilities in nats of each completion's tokens, without gradient."""

        def said(chunk: list[int]) -> list[Logps]:
            members = [rows[i] for i in chunk]
            return by_row(self.decoder.logps(members, temperature)[0], members)

        with self.decoder.held(), torch.no_grad():
            return self.shares.found([[row] for row in rows], said)

    def logp(self, completions: Sequence[Completion]) -> list[float]:
        """Summed log-probabilities in nats, at temperature 1."""
        return [
            float(x.sum(dtype=np.float64)) for x in self.token_logps(self.rows(completions), 1.0)
        ]


def _dealt(numbers: Sequence[int], drawn: Sequence[Drawn], n: int) -> list[tuple[int, list[Drawn]]]:
    """n siblings for each number."""
    return [(i, list(drawn[place * n : place * n + n])) for place, i in enumerate(numbers)]


def by_row(values: Tensor, rows: Sequence[Row]) -> list[Logps]:
    """[S T] as one array for each row, without what lies past its end."""
    found = values.detach().cpu().numpy()
    return [one[: len(row.completion)].copy() for one, row in zip(found, rows, strict=True)]


def matrix(logps: Sequence[Logps], device: torch.device) -> Tensor:
    """Token log-probabilities of different lengths as [S T], 0 past the ends."""
    table = np.zeros((len(logps), max([1, *map(len, logps)])), dtype=np.float32)
    for row, values in enumerate(logps):
        table[row, : len(values)] = values
    return torch.as_tensor(table, device=device)

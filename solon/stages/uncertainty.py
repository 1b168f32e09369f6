"""How uncertain a policy is of its answer to a prompt, and the thirds that prompts fall into by it.

    perplexity      exp(-log p(answer) / tokens)
    entropy         mean of -log p over all tokens drawn: nats a token, an estimate from the draws
    disagreement    mean over pairs of draws of 1 - |words of both| / |words of either|

The answer is the likeliest by the token of the completions drawn: one draw is an ordinary sample,
and many come near the greedy completion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp
from statistics import fmean
from typing import Literal

from solon.records import Completion, Group, Judgement, Rate, ScoreJudgement, Scores, flat
from solon.seams.learning import Scorer

By = Literal["perplexity", "entropy", "disagreement"]


@dataclass(frozen=True, kw_only=True)
class Uncertainty:
    """Of each group the answer, scored by how uncertain the policy is of it.

    Example:
        Uncertainty(policy=start, by="entropy")(start.sample(prompts, n=4))
    """

    policy: Scorer
    by: By = "perplexity"

    def __call__(self, groups: Sequence[Group], /) -> list[ScoreJudgement]:
        texts = flat(groups)
        sums, lengths = self.policy.logp(texts), self.policy.lengths(texts)
        drawn = list(zip(texts, sums, lengths, strict=True))
        found: list[ScoreJudgement] = []
        for group in groups:
            own, drawn = drawn[: len(group.completions)], drawn[len(group.completions) :]
            found.append(self._scored(own))
        return found

    def _scored(self, drawn: Sequence[tuple[Completion, float, int]]) -> ScoreJudgement:
        answer, logp, tokens = max(drawn, key=lambda one: one[1] / max(1, one[2]))
        match self.by:
            case "perplexity":
                value = exp(-logp / max(1, tokens))
            case "entropy":
                value = -sum(logp for _, logp, _ in drawn) / max(1, sum(n for _, _, n in drawn))
            case "disagreement":
                value = disagreement([text.text for text, _, _ in drawn])
        question = Rate(completion=answer)
        return Judgement(question=question, answer=Scores(value=value), judge=self.by)


def disagreement(texts: Sequence[str]) -> float:
    """Mean Jaccard distance of their sets of words over all pairs: 0 where all say the same."""
    words = [frozenset(text.split()) for text in texts]
    return fmean(len(a ^ b) / max(1, len(a | b)) for a, b in combinations(words, 2))


def thirds(values: Sequence[float]) -> list[int]:
    """0, 1 or 2 for the lowest, the middle and the highest third; of equals the first is lower."""
    order = sorted(range(len(values)), key=values.__getitem__)
    places = {index: rank * 3 // len(values) for rank, index in enumerate(order)}
    return [places[index] for index in range(len(values))]

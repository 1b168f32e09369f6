"""Four draws a prompt, two of them under guidance, and the pairs that they make.

    y+ under positive guidance, y- under negative, y1 and y2 under none
    easy      y+ over y-                 by construction
    medium    y+ over y1, y1 over y-     by construction, the widest gap first
    hard      y1 and y2                  a question to the judge

No prompt of a pair holds a word of the guidance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from solon.judges.questions import pairs
from solon.records import (
    Compare,
    Completion,
    Group,
    Judgement,
    Preference,
    Prompt,
    Rate,
    ScoreJudgement,
    Scores,
)
from solon.run.run import Run
from solon.seams.learning import Frozen, Scorer
from solon.stages.fit_reward import both
from solon.text.guidance import Guidance, guided, stripped


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Completions of the prompts; a sort that is never asked for is never sampled.

    Example:
        Draws(run=run, policy=start, prompts=prompts.take(64), guidance=Guidance()).easy()
    """

    run: Run
    policy: Frozen
    prompts: Sequence[Prompt]
    guidance: Guidance
    chunk: int = 256

    def easy(self) -> list[Preference]:
        """Contrastive pairs, one a prompt."""
        return _over("easy", self.positive(), self.negative())

    def medium(self) -> list[Preference]:
        """Bridging pairs, two a prompt, in the order of the prompts."""
        plain = [group.completions[0] for group in self.plain()]
        rows = zip(self.positive(), plain, self.negative(), strict=True)
        return list(chain.from_iterable(_over("medium", row[:2], row[1:]) for row in rows))

    def hard(self) -> list[Compare]:
        """Random pairs, one a prompt: which one is better is a question."""
        return pairs(self.plain())

    def widest_first(self, data: Sequence[Preference]) -> list[Preference]:
        """The pairs by the gap between their completions' leanings, the widest first."""
        judge = Leaning(policy=self.policy, guidance=self.guidance)
        questions = [Rate(completion=one) for one in dict.fromkeys(both(data))]
        said: list[ScoreJudgement] = self.run.map("leanings", judge, questions, chunk=self.chunk)
        lean = {
            one.question.completion: one.answer.value
            for one in said
            if isinstance(one.answer, Scores)
        }
        return sorted(data, key=lambda one: -abs(lean[one.chosen] - lean[one.rejected]))

    def positive(self) -> list[Completion]:
        """y+ of each prompt."""
        return self._under("positive", self.guidance.positive)

    def negative(self) -> list[Completion]:
        """y- of each prompt."""
        return self._under("negative", self.guidance.negative)

    def plain(self) -> list[Group]:
        """y1 and y2 of each prompt."""
        draw = partial(self.policy.sample, n=2)
        return self.run.map("groups", draw, self.prompts, chunk=self.chunk)

    def _under(self, name: str, words: str) -> list[Completion]:
        def draw(batch: Sequence[Prompt]) -> list[Completion]:
            groups = self.policy.sample([guided(one, words) for one in batch])
            drawn = [group.completions[0] for group in groups]
            return [stripped(one, prompt) for one, prompt in zip(drawn, batch, strict=True)]

        return self.run.map(name, draw, self.prompts, chunk=self.chunk)


@dataclass(frozen=True, kw_only=True)
class Leaning:
    """Scores y by [log p(y | x, positive) - log p(y | x, negative)] / tokens: a ScoreJudge.

    The gap of two completions is how far apart the two sorts of guidance hold them.

    Example:
        Leaning(policy=start, guidance=Guidance())([Rate(completion=a)])
    """

    policy: Scorer
    guidance: Guidance

    @property
    def id(self) -> str:
        return "leaning"

    def __call__(self, questions: Sequence[Rate], /) -> list[ScoreJudgement]:
        texts = [one.completion for one in questions]
        rows = zip(
            questions,
            self._logp(texts, self.guidance.positive),
            self._logp(texts, self.guidance.negative),
            self.policy.lengths(texts),
            strict=True,
        )
        return [
            Judgement(
                question=question,
                answer=Scores(value=(good - bad) / max(1, tokens)),
                judge=self.id,
            )
            for question, good, bad, tokens in rows
        ]

    def _logp(self, texts: Sequence[Completion], words: str) -> list[float]:
        return self.policy.logp([replace(one, prompt=guided(one.prompt, words)) for one in texts])


def _over(
    source: str, better: Sequence[Completion], worse: Sequence[Completion]
) -> list[Preference]:
    """Each over its rival; none where both say the same or a call failed."""
    return [
        Preference(chosen=a, rejected=b, source=source)
        for a, b in zip(better, worse, strict=True)
        if a.text != b.text and "filter" not in {a.finish, b.finish}
    ]

"""Prompts that a model invents from examples, where they are new, short enough and about words.

Wang et al. (Self-Instruct, arXiv 2212.10560): a prompt is kept when its ROUGE-L with every known
one is below 0.7, when it holds no word of what a language model cannot do, and by its length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solon.judges.prompts import named
from solon.records import Completion, Message, Prompt, flat
from solon.run.run import Run
from solon.seams.feedback import Policy
from solon.text.template import Template

KEYWORDS = ("image", "picture", "photo", "graph", "video", "audio", "music", "file", "map", "draw")


@dataclass(frozen=True, kw_only=True)
class Invent:
    """Replace a share of a round's prompts by new ones that a model writes from examples."""

    share: float = 0.0
    """Share of the prompts that are invented; 0 invents none."""
    template: str = "policy/invent"
    """Words of the question: a packaged name, or a path that ends in .md."""
    shots: int = 8
    """Prompts shown as examples."""
    tries: int = 2
    """Prompts asked for, for each one wanted: some are filtered out."""
    similar: float = 0.7
    """ROUGE-L with a known prompt from which on a new one is left out."""
    shortest: int = 3
    """Fewest words of a prompt."""
    longest: int = 150
    """Most words of a prompt."""
    keywords: tuple[str, ...] = KEYWORDS
    """Words that no prompt may hold."""

    def __call__(
        self, run: Run, turn: int, model: Policy, prompts: Sequence[Prompt]
    ) -> list[Prompt]:
        """As many prompts: as many new ones as there should be and are, then the given ones."""
        wanted = round(self.share * len(prompts))
        if not wanted:
            return list(prompts)
        asked = self.questions(run.seed_for("invent", turn), prompts, wanted * self.tries)

        def written(batch: Sequence[Prompt]) -> list[Completion]:
            return flat(model.sample(batch))

        said: list[Completion] = run.map(f"invented-{turn}", written, asked)
        kept = self.new([one.text for one in said], [one.text for one in prompts])[:wanted]
        if len(kept) < wanted:
            run.note(
                f"{len(kept)} new prompts of {wanted}: {len(said)} were written, most too like"
            )
        fresh = [named((Message(role="user", text=text),)) for text in kept]
        return [*fresh, *prompts[: len(prompts) - len(fresh)]]

    def questions(self, seed: int, prompts: Sequence[Prompt], n: int) -> list[Prompt]:
        """n questions, each with examples of its own."""
        template, draw = Template.load(self.template), np.random.default_rng(seed)
        found: list[Prompt] = []
        for _ in range(n):
            shown = draw.permutation(len(prompts))[: self.shots]
            listed = "\n".join(f"{i}. {prompts[j].text}" for i, j in enumerate(shown, start=1))
            found.append(named(template.render({"examples": listed})))
        return found

    def new(self, written: Sequence[str], known: Sequence[str]) -> list[str]:
        """The first line of each that passes every filter, in order; each is known from then on."""
        seen = [_words(text) for text in known]
        kept: list[str] = []
        for text in written:
            line = text.strip().partition("\n")[0].strip()
            words = _words(line)
            if self.fits(words) and all(rouge_l(words, one) < self.similar for one in seen):
                kept.append(line)
                seen.append(words)
        return kept

    def fits(self, words: Sequence[str]) -> bool:
        """Neither too short nor too long, and without a keyword."""
        return self.shortest <= len(words) <= self.longest and not {*words} & {*self.keywords}


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """F1 of the longest common subsequence: 2 LCS / (sum of both lengths)."""
    total = len(one) + len(other)
    shared = (Counter(one) & Counter(other)).total()  # never less than the subsequence
    if not shared:
        return 0.0
    row = [0] * (len(other) + 1)
    for word in one:
        before = row[:]
        for j, rival in enumerate(other):
            row[j + 1] = before[j] + 1 if word == rival else max(before[j + 1], row[j])
    return 2 * row[-1] / total


def _words(text: str) -> list[str]:
    return [word.strip(".,;:!?\"'()").lower() for word in text.split()]

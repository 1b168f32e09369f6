"""A judge of hidden passages: it knows what each kind of sentence weighs, imperfectly.

It reads what a language model would read, the prompt, and nothing else. For each fact or clue that
it takes in, and for each quote that it is shown while the source is hidden, in log-odds:

    + share ((1 - d) (weight + error) - d blame)    for who the sentence is about
    - expects                                       for who gives the quote

    share    1 where it stands in the source, ``credulity`` for a quote that does not
    d        ``heed`` where its denial was taken in as well, else 0

``expects`` is the judge's answer to selection: a speaker finds something for any answer, so that
a quote which weighs no more than that speaks against who gives it. With facts drawn as
P(kind) ~ exp(+-edge w / 2), a fact's log-likelihood ratio is edge times w less such a constant; and
that lies are taken back more often makes a denial count against the answer: ``blame``. Our
formulation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from solon.errors import SettingError
from solon.lab.passages import CLUE, DENIAL, Line, lines
from solon.records import Abstains, Prompt, digest

if TYPE_CHECKING:
    from solon.run.run import Run

LETTERS = ("A", "B")
_ANSWER = re.compile(r"^Answer ([AB]): (.*)$", re.MULTILINE)
_SPEECH = re.compile(r'<speech by="([^"]*)"[^>]*>\n(.*?)\n</speech>', re.DOTALL)
_QUOTE = re.compile(r"<([vu])_quote>(.*?)</\1_quote>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageReader:
    """A Chooser of "A" or "B" by what it read of a passage; a tie where it read nothing.

    Example:
        Speaker(PassageReader(blur=2.0, seed=3))     # at a game's seat "judge" or "preference"
    """

    blur: float = 0.5
    """Standard deviation of its error about what a sentence weighs."""
    expects: float = 1.5
    """Weight that it expects of a quote for any answer, right or wrong."""
    credulity: float = 0.25
    """Share at which a quote counts that is not in the source."""
    blame: float = 1.5
    """Log-odds against an answer for which something was said that was taken back."""
    heed: float = 1.0
    """How far it follows a denial: 1 takes the whole fact back."""
    overlooks: float = 0.4
    """Share of a source's sentences that it does not take in."""
    seed: int = 0
    """Decides its errors, and what it overlooks."""
    name: str = "reader"
    """Name in records."""

    def __post_init__(self) -> None:
        if self.blur < 0:
            raise SettingError(f"blur: expected 0 or more, got {self.blur}")
        for dial in ("credulity", "heed", "overlooks"):
            if not 0 <= getattr(self, dial) <= 1:
                raise SettingError(f"{dial}: expected 0 to 1, got {getattr(self, dial)}")

    @property
    def id(self) -> str:
        return f"{self.name}@{digest(self)}"

    def open(self, run: Run) -> PassageReader:
        return replace(self, seed=run.seed_for(self.name, self.seed))

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        """Log-probabilities of the two letters; abstains from any other question."""
        del cue  # a letter is the answer, whatever its first words are
        if tuple(choices) != LETTERS:
            return [Abstains(reason="it is not asked for A or B") for _ in prompts]
        return [self._chosen(one.text) for one in prompts]

    def _chosen(self, asked: str) -> tuple[float, ...] | Abstains:
        # what was said comes later: nobody can name the answers again
        head = asked.partition("<source>\n")[0].partition("<transcript>\n")[0]
        people = dict(_ANSWER.findall(head))
        if set(people) != set(LETTERS):
            return Abstains(reason="no question with two answers")
        lean = self.leaning(asked, people["A"], people["B"])
        return (-math.log1p(math.exp(-lean)), -math.log1p(math.exp(lean)))

    def leaning(self, asked: str, one: str, other: str) -> float:
        """Log-odds that it was the one and not the other, by all that the prompt shows."""
        about, source = section(asked, "question"), lines(section(asked, "source"))
        taken = {x: 1.0 for x in source if _errors(self.seed, about, x)[1] >= self.overlooks}
        said = quoted(section(asked, "transcript"))
        for _, line, verified in said:
            taken[line] = max(taken.get(line, 0.0), 1.0 if verified else self.credulity)
        total = 0.0
        for line, share in taken.items():
            denied = self.heed * taken.get(line.denial, 0.0)
            weight = self._weighed(line, about, denied=denied)
            total += share * weight * ((line.who == one) - (line.who == other))
        shown = [by for by, _, _ in said] if not source else []
        return total - self.expects * (shown.count(LETTERS[0]) - shown.count(LETTERS[1]))

    def _weighed(self, line: Line, about: str, *, denied: float) -> float:
        if line.kind == DENIAL:
            return 0.0
        weight = line.weight + self.blur * _errors(self.seed, about, line)[0]
        return weight if line.kind == CLUE else (1 - denied) * weight - denied * self.blame


def section(asked: str, tag: str) -> str:
    """What stands between these tags of a prompt; empty where there are none."""
    return asked.partition(f"<{tag}>\n")[2].partition(f"\n</{tag}>")[0]


def quoted(transcript: str) -> list[tuple[str, Line, bool]]:
    """(who quoted it, what it says, whether it was found in the source) of what bears on it."""
    found: list[tuple[str, Line, bool]] = []
    for by, speech in _SPEECH.findall(transcript):
        for kind, words in _QUOTE.findall(speech):
            line = Line.read(words)
            if line is not None:
                found.append((by, line, kind == "v"))
    return found


@lru_cache(maxsize=1 << 16)
def _errors(seed: int, about: str, line: Line) -> tuple[float, float]:
    """What a reader gets wrong about that sentence, standard normal, and how well it looks."""
    draw = np.random.default_rng(int(digest(seed, about, line), 16))
    return float(draw.normal()), float(draw.random())

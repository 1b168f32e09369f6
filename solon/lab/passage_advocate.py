"""A speaker for one answer to a hidden passage: what it quotes, and how well it chooses.

It reads the prompt of a debater or of a consultant as a language model would. It may quote each
sentence that bears on its own answer, and each denial of what its opponent has quoted:

    P(next quote) ~ exp(skill value)      value: a fact's weight; twice that for its denial

so that at skill 0 it quotes anything, and with much skill the best first. Clues it leaves: a speech
has no room for what is small and many. It does not plan ahead: it quotes a fact that was taken back
as gladly as another. One that finds itself on the wrong side invents a share of its quotes. Our
formulation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from solon.errors import InputError, SettingError
from solon.lab.grammar import DAYS
from solon.lab.passage_reader import PassageReader, quoted, section
from solon.lab.passages import DENIAL, FACTS, Line, lines
from solon.records import Abstains, Completion, Group, Prompt, digest

if TYPE_CHECKING:
    from solon.run.run import Run

WORDS = 20  # of a speech, for each quote
REBUTS = 2.0  # a judge takes off the weight, and blames who quoted it
_OWN = re.compile(r"^Your answer: (.*)$", re.MULTILINE)
_OPPOSED = re.compile(r"^(?:Your opponent's|The other) answer: (.*)$", re.MULTILINE)
_ABOUT = re.compile(r"about (\d+) words")


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageAdvocate:
    """A Policy that argues with quotes, and a Chooser of the side that it believes in.

    Example:
        Speaker(PassageAdvocate(skill=2.0, seed=3))     # at "first", "second" or "consultant"
    """

    skill: float = 1.0
    """How surely it quotes what weighs most, from 0."""
    invents: float = 0.0
    """Share of its quotes that it makes up where it believes that its answer is wrong."""
    reader: PassageReader = field(default_factory=PassageReader)
    """How it reads the source, where it asks itself which answer is right."""
    seed: int = 0
    """Decides what it says."""
    name: str = "advocate"
    """Name in records."""

    def __post_init__(self) -> None:
        if self.skill < 0 or not 0 <= self.invents <= 1:
            came = f"{self.skill} and {self.invents}"
            raise SettingError(f"skill, invents: expected 0 or more, and a share, got {came}")

    @property
    def id(self) -> str:
        return f"{self.name}@{digest(self)}"

    def open(self, run: Run) -> PassageAdvocate:
        seed = run.seed_for(self.name, self.seed)
        return replace(self, seed=seed, reader=self.reader.open(run))

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        """As its reader chooses."""
        return self.reader.choose(prompts, choices, cue=cue)

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        """n speeches on each prompt; InputError for one that is no speaker's."""
        return [self._group(prompt, n) for prompt in prompts]

    def _group(self, prompt: Prompt, n: int) -> Group:
        brief = _Brief.read(prompt.text)
        share = self.invents if self._lies(prompt.text, brief) else 0.0
        draws = (
            np.random.default_rng(int(digest(self.seed, prompt.id, sibling), 16))
            for sibling in range(n)
        )
        texts = [_speech(brief, self._quoted(brief, share, draw)) for draw in draws]
        made = (Completion(prompt=prompt, text=text, policy=self.id) for text in texts)
        return Group(completions=tuple(made))

    def _lies(self, asked: str, brief: _Brief) -> bool:
        return self.invents > 0 and self.reader.leaning(asked, brief.own, brief.opposed) < 0

    def _quoted(self, brief: _Brief, invents: float, draw: np.random.Generator) -> list[Line]:
        """Gumbel's trick: the best keys are draws without replacement."""
        open_to = brief.candidates
        keys = [self.skill * value for value in open_to.values()] + draw.gumbel(size=len(open_to))
        chosen = [list(open_to)[k] for k in np.argsort(-keys)[: brief.quotes]]
        made_up = draw.random(len(chosen)) < invents
        return [
            brief.invented(draw) if one else line for one, line in zip(made_up, chosen, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Brief:
    """What a speaker gathers from its prompt."""

    own: str
    opposed: str
    quotes: int
    source: tuple[Line, ...]
    said: frozenset[Line]

    @classmethod
    def read(cls, asked: str) -> _Brief:
        found = [one.search(asked) for one in (_OWN, _OPPOSED, _ABOUT)]
        own, opposed, words = (one[1] if one else "" for one in found)
        if not (own and opposed and words):
            raise InputError(f"advocate: expected a speaker's prompt, got {asked[:40]!r}")
        return cls(
            own=own,
            opposed=opposed,
            quotes=max(1, int(words) // WORDS),
            source=lines(section(asked, "source")),
            said=frozenset(line for _, line, _ in quoted(section(asked, "transcript"))),
        )

    @property
    def candidates(self) -> dict[Line, float]:
        """What it may quote and nobody has, with its value to the speaker."""
        fresh = [line for line in self.source if line not in self.said]
        facts = {x: x.weight for x in fresh if x.who == self.own and x.kind in FACTS}
        theirs = {x.denial: x.weight for x in self.said if x.who == self.opposed}
        return facts | {x: REBUTS * theirs[x] for x in fresh if x in theirs}

    def invented(self, draw: np.random.Generator) -> Line:
        """The weightiest kind of fact, by a witness that no story has."""
        return Line(kind="hid", who=self.own, witness=self.opposed, day=str(draw.choice(DAYS)))


def _speech(brief: _Brief, quoted: Sequence[Line]) -> str:
    parts = [f"my answer is {brief.own} ."]
    for line in quoted:
        how = "that was taken back" if line.kind == DENIAL else "the text says so"
        parts.append(f"{how} : <quote>{line.sentence}</quote> .")
    return " ".join([*parts, f"so it was {brief.own} ."])

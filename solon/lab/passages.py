"""Hidden passages of the town: a story, a question about it, and how much each sentence says.

    the ring was in the barn . then it was gone .     who hid the ring ?   anna | ben
    on monday dora saw it with anna .                 a fact: 2 of log-odds that it was anna
    on friday carl heard that it was ben .            a rumour: 1/2 that it was ben
    on sunday emil found ben late .                   a clue: 1 that it was ben
    later carl said that on friday it was not ben .   takes the rumour back

Whoever quotes the rumour and not the last line says nothing false, and misleads. Each of the two
has as many facts, w is a fact's weight, a the asymmetry:

    P(kind of a fact)       ~ exp(+- a edge w / 2)        + of the right answer, - of the wrong one
    P(fact is taken back)   = taken_back -+ a gap / 2
    P(clue is of the right) = 1 / (1 + exp(-w))           whatever a is

So the wrong answer's evidence is weaker in expectation, not always, and more of it can be refuted.
That it is harder to lie than to refute a lie is an assumption of this world, with a dial, and not a
finding in it: at asymmetry 0 facts say nothing, and only the clues, small and many, tell a reader
of the whole story who it was. The generator is our formulation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Literal

import numpy as np

from solon.errors import SettingError
from solon.lab.grammar import DAYS, GOODS, NAMES, PLACES

WEIGHTS = {"hid": 2.5, "had": 2.0, "asked": 1.5, "met": 1.0, "rumour": 0.5, "clue": 1.0}
FACTS = ("hid", "had", "asked", "met", "rumour")
CLUE, DENIAL = "clue", "denial"
_WORDS = {
    "hid": "on {day} {witness} saw {who} hide it",
    "had": "on {day} {witness} saw it with {who}",
    "asked": "on {day} {who} asked {witness} for it",
    "met": "on {day} {witness} met {who} there",
    "rumour": "on {day} {witness} heard that it was {who}",
    CLUE: "on {day} {witness} found {who} late",
    DENIAL: "later {witness} said that on {day} it was not {who}",
}
_PARTS = {"day": "|".join(DAYS), "witness": "|".join(NAMES), "who": "|".join(NAMES)}
_READ = {
    kind: re.compile(words.format(**{part: f"(?P<{part}>{one})" for part, one in _PARTS.items()}))
    for kind, words in _WORDS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence of a story: a fact or a clue about somebody, or a denial that takes one back.

    Example:
        Line.read("on monday dora saw it with anna")     # Line(kind="had", who="anna", ...)
    """

    kind: str
    who: str
    witness: str
    day: str

    @classmethod
    @lru_cache(maxsize=1 << 12)
    def read(cls, sentence: str) -> Line | None:
        """What the sentence says; None where it is none of a story's."""
        words = sentence.strip(" .\n")
        for kind, pattern in _READ.items():
            if found := pattern.fullmatch(words):
                return cls(kind=kind, **found.groupdict())
        return None

    @property
    def weight(self) -> float:
        """Log-odds that it was ``who``; a denial has none of its own."""
        return WEIGHTS.get(self.kind, 0.0)

    @property
    def sentence(self) -> str:
        return _WORDS[self.kind].format(day=self.day, witness=self.witness, who=self.who)

    @property
    def denial(self) -> Line:
        """The sentence that takes it back."""
        return replace(self, kind=DENIAL)


@lru_cache(maxsize=1 << 12)  # a story is read again at each turn
def lines(source: str) -> tuple[Line, ...]:
    """The sentences of a story that bear on its question, in order."""
    return tuple(line for one in source.split(" .") if (line := Line.read(one)) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A story that a judge may not read, a question about it, two answers, and the right one.

    Example:
        (passage,) = Passages().drawn(1, seed=3)
        passage.question                     # "who hid the boat ?"
    """

    id: str
    question: str
    first: str
    second: str
    source: str
    right: Literal["first", "second"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passages:
    """Draws stories whose right answer stands first as often as second.

    Example:
        Passages(asymmetry=0.0).drawn(200, seed=3)
    """

    asymmetry: float = 1.0
    """How much harder it is to lie than to refute a lie, from 0 to 1."""
    edge: float = 0.4
    """How much stronger the facts of the right answer are, at asymmetry 1."""
    gap: float = 0.6
    """Share of facts taken back of the wrong answer less of the right one, at asymmetry 1."""
    taken_back: float = 0.4
    """Share of facts taken back, mean of both answers."""
    facts: int = 16
    """Facts of each answer."""
    clues: int = 16
    """Clues, of either."""

    def __post_init__(self) -> None:
        most = len(DAYS) * (len(NAMES) - 2)
        if not 0 <= self.asymmetry <= 1:
            raise SettingError(f"asymmetry: expected 0 to 1, got {self.asymmetry}")
        if not self.gap / 2 <= self.taken_back <= 1 - self.gap / 2:
            came = f"{self.taken_back} and {self.gap}"
            raise SettingError(f"taken_back, gap: expected shares from 0 to 1, got {came}")
        if not (0 <= self.facts <= most and 0 <= self.clues <= most):
            came = f"{self.facts} and {self.clues}"
            raise SettingError(f"facts, clues: expected 0 to {most}, got {came}")

    def drawn(self, n: int, *, seed: int) -> list[Passage]:
        """n stories; the first of more are the same ones."""
        return [
            self._passage(np.random.default_rng([seed, k]), name=f"passage-{seed}-{k}")
            for k in range(n)
        ]

    def _passage(self, draw: np.random.Generator, *, name: str) -> Passage:
        right, wrong, *witnesses = draw.permutation(NAMES).tolist()
        thing, place = str(draw.choice(GOODS)), str(draw.choice(PLACES))
        told: list[Line] = []
        denied: list[Line] = []
        for who, sign in ((right, 1), (wrong, -1)):
            facts = self._facts(draw, who, witnesses, self.asymmetry * sign)
            share = self.taken_back - self.asymmetry * sign * self.gap / 2
            back = draw.random(len(facts)) < share
            told += facts
            denied += [fact.denial for fact, one in zip(facts, back, strict=True) if one]
        told += self._clues(draw, right, wrong, witnesses)
        order = [told[k] for k in draw.permutation(len(told))]
        order += [denied[k] for k in draw.permutation(len(denied))]
        opening = f"the {thing} was in the {place} . then it was gone ."
        leads = bool(draw.integers(2))
        return Passage(
            id=name,
            question=f"who hid the {thing} ?",
            first=right if leads else wrong,
            second=wrong if leads else right,
            source=" ".join([opening, *(f"{line.sentence} ." for line in order)]),
            right="first" if leads else "second",
        )

    def _facts(
        self, draw: np.random.Generator, who: str, witnesses: list[str], tilt: float
    ) -> list[Line]:
        p = np.exp([tilt * self.edge * WEIGHTS[kind] / 2 for kind in FACTS])
        kinds = draw.choice(FACTS, size=self.facts, p=p / p.sum()).tolist()
        seen = _seen(draw, witnesses, self.facts)
        return [
            Line(kind=kind, who=who, witness=witness, day=day)
            for kind, (witness, day) in zip(kinds, seen, strict=True)
        ]

    def _clues(
        self, draw: np.random.Generator, right: str, wrong: str, witnesses: list[str]
    ) -> list[Line]:
        led = draw.random(self.clues) < 1 / (1 + np.exp(-WEIGHTS[CLUE]))
        seen = _seen(draw, witnesses, self.clues)
        return [
            Line(kind=CLUE, who=right if one else wrong, witness=witness, day=day)
            for one, (witness, day) in zip(led, seen, strict=True)
        ]


def _seen(draw: np.random.Generator, witnesses: list[str], n: int) -> list[tuple[str, str]]:
    """n different (witness, day), so that a denial names one fact."""
    every = list(product(witnesses, DAYS))
    return [every[k] for k in draw.permutation(len(every))[:n]]

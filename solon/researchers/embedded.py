"""An automated researcher without a language model: it composes methods of known parts.

Its idea space is the library's, and its taste a weight for each family of ideas. Directed agents
have a weight each of their own, undirected ones the same; both follow what is reported to work, so
undirected agents can come to do all the same. The policy is our formulation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from solon.errors import InputError, SettingError
from solon.researchers.forum import Forum, Post, PostKind
from solon.researchers.notebook import Idea, Notebook, Notes, Try
from solon.researchers.parts import (
    BASELINES,
    FAMILIES,
    LIBRARY,
    Family,
    Part,
    labelled,
    named,
    students,
)
from solon.researchers.rules import Client

__all__ = ["DIRECTIONS", "UNDIRECTED", "Client", "Direction", "Embedded", "post_of", "reported"]

Name = TypeVar("Name", bound=str)
LONGEST = 4
HEAVIEST = 40
ATTEMPTS = 500
DOUBT = 5
MOVES = {"draw": 0.25, "mutate": 0.5, "recombine": 0.25}
MUTATIONS = {"add": 0.4, "drop": 0.15, "swap": 0.25, "tune": 0.2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """What an agent is told to look at, and what that means to one that cannot read.

    Example:
        Direction(text="Look inside.", prior={"model internal": 1.0})
    """

    text: str
    """Short, and open to more than one reading."""
    prior: Mapping[Family, float]
    """Weight of each family of ideas; 0 where it is not named."""


def _towards(text: str, *families: Family) -> Direction:
    return Direction(text=text, prior={one: 1.0 if one in families else 0.02 for one in FAMILIES})


DIRECTIONS: tuple[Direction, ...] = (
    _towards("The student knows already.", "unsupervised elicitation", "self-training"),
    _towards("Not every label deserves to be heard.", "data filtering", "confidence weighting"),
    _towards("Many see more than one.", "ensemble", "distillation"),
    _towards("What is learnt first?", "curriculum", "other"),
    _towards("What does an error cost?", "loss function", "confidence weighting"),
    _towards("Look inside.", "model internal", "unsupervised elicitation"),
    _towards("What survives?", "evolutionary", "data filtering"),
    _towards("Teach it again.", "self-training", "distillation"),
    _towards("Do less.", "other", "model internal"),
)
UNDIRECTED = _towards("Find a better method.", *FAMILIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One agent; each of its steps begins from its notes, so it can be ended at any time.

    Example:
        Embedded.of(DIRECTIONS[0], name="ada").run(client, forum, notebook, turns=20)
    """

    name: str
    """Its name on the forum and at the scorer."""
    direction: str = UNDIRECTED.text
    """What it was told."""
    prior: Mapping[Family, float] = field(default_factory=lambda: dict(UNDIRECTED.prior))
    """Weight of each family before anything is known."""
    temperature: float = 0.2
    """How little it follows what is reported: infinite, it never does."""
    seed: int = 0
    """Fixes its draws, together with its name."""

    def __post_init__(self) -> None:
        weights = list(self.prior.values())
        if not set(self.prior) <= set(FAMILIES) or min(weights, default=0) < 0 or not sum(weights):
            raise SettingError(f"prior: expected weights of families, got {dict(self.prior)}")
        if not self.temperature > 0:
            raise SettingError(f"temperature: expected above 0, got {self.temperature}")

    @classmethod
    def of(
        cls, direction: Direction, *, name: str, temperature: float = 0.2, seed: int = 0
    ) -> Embedded:
        """An agent that was given this direction."""
        return cls(
            name=name,
            direction=direction.text,
            prior=direction.prior,
            temperature=temperature,
            seed=seed,
        )

    def run(self, client: Client, forum: Forum, notebook: Notebook, *, turns: int) -> Notes:
        """Until its notes hold so many tries, its budget is spent or it has no idea left."""
        while len((notes := notebook.read(self.name)).tries) < turns:
            if not self.turn(client, forum, notebook):
                break
        return notes

    def turn(self, client: Client, forum: Forum, notebook: Notebook) -> bool:
        """One idea: noted, scored, noted again, told; False where there was none, or no budget.

        It is noted before it is sent, so a kill in between may lose an answer and repeats nothing.
        """
        notes = notebook.read(self.name)
        self.tell(forum, notes)  # a kill may have come after the answer was noted
        idea = self.step(notes, forum.posts()[0])
        if idea is None:
            return False
        notebook.write(notes.sent(idea))
        reply = client.score(self.name, idea.source)
        if reply.reason.startswith("budget:"):  # then it was not scored
            notebook.write(notes)
            return False
        notes = notes.sent(idea).answered(reply)
        notebook.write(notes)
        self.tell(forum, notes)
        return True

    def step(self, notes: Notes, posts: Sequence[Post] = ()) -> Idea | None:
        """Its next idea, which it never had; the first is the naive student."""
        if not notes.tries:
            return Idea(parts=BASELINES["naive"], lead="naive")
        draw = np.random.default_rng([*self.name.encode(), self.seed, len(notes.tries)])
        others = [found for one in posts if one.agent != self.name and (found := reported(one))]
        own = [one.idea for one in notes.tries if one.improved]
        chances = self.chances([*own, *others])
        mind = _Mind(draw=draw, chances=chances, best=own[-1] if own else None, others=others)
        for _ in range(ATTEMPTS):
            idea = mind.idea()
            small = len(idea.parts) <= LONGEST and students(idea.parts) <= HEAVIEST
            if small and idea.digest not in notes.digests:
                return idea
        return None

    def chances(self, worked: Iterable[Idea]) -> dict[Family, float]:
        """P(family) ~ prior exp(share / temperature), of the ideas that are known to have worked.

        share = count / (all + 5): one success is no reason to think of nothing else. Baselines are
        nobody's idea, and are not counted.
        """
        baselines = [set(parts) for parts in BASELINES.values()]
        led = [one.family for one in worked if set(one.parts) not in baselines]
        shares = np.array([led.count(one) / (len(led) + DOUBT) for one in FAMILIES])
        prior = np.array([self.prior.get(one, 0.0) for one in FAMILIES])
        weights = prior * np.exp((shares - shares.max()) / self.temperature)
        return dict(zip(FAMILIES, (weights / weights.sum()).tolist(), strict=True))

    def tell(self, forum: Forum, notes: Notes) -> None:
        """Posts what came of its last try, where that is known; twice is once."""
        if notes.tries and notes.tries[-1].answered:
            forum.share(post_of(self.name, notes.tries[-1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mind:
    """Where one step's ideas come from."""

    draw: np.random.Generator
    chances: Mapping[Family, float]
    best: Idea | None
    others: Sequence[Idea]

    def idea(self) -> Idea:
        move = self._one_of(MOVES)
        if self.best is None or move == "draw":
            return self._fresh()
        if move == "recombine" and self.others:
            return self._recombined(self.best)
        return self._mutated(self.best)

    def _fresh(self) -> Idea:
        """One part, or two."""
        lead, second = self._part(), self._part()
        both = lead.name != second.name and self.draw.random() < 0.5
        return Idea(parts=(lead, second) if both else (lead,), lead=lead.name)

    def _mutated(self, best: Idea) -> Idea:
        """Its best with a part more, a part less, another part or another setting."""
        at, kept = self._rest(best)
        move = self._one_of(MUTATIONS)
        if move == "tune":
            return Idea(parts=(*kept, self._variant(at)), lead=at.name)
        if move == "drop" and kept:
            return Idea(parts=kept, lead=best.lead if at.name != best.lead else kept[-1].name)
        return _with(best.parts if move == "add" else kept, self._part())

    def _recombined(self, best: Idea) -> Idea:
        """Its best with a part of another's."""
        other = self.others[int(self.draw.integers(len(self.others)))]
        lead = other.parts[int(self.draw.integers(len(other.parts)))]
        return _with(best.parts if self.draw.random() < 0.5 else self._rest(best)[1], lead)

    def _rest(self, idea: Idea) -> tuple[Part, tuple[Part, ...]]:
        """One of its parts, and the others."""
        at = int(self.draw.integers(len(idea.parts)))
        return idea.parts[at], idea.parts[:at] + idea.parts[at + 1 :]

    def _part(self) -> Part:
        chosen = self._one_of(self.chances)
        parts = [part for part in LIBRARY.values() if part.family == chosen]
        return self._variant(parts[int(self.draw.integers(len(parts)))])

    def _one_of(self, chances: Mapping[Name, float]) -> Name:
        names = list(chances)
        return names[int(self.draw.choice(len(names), p=list(chances.values())))]

    def _variant(self, part: Part) -> Part:
        variants = part.variants()
        return variants[int(self.draw.integers(len(variants)))]


def _with(parts: Iterable[Part], lead: Part) -> Idea:
    """The parts and the lead, in place of one of its name."""
    kept = [part for part in parts if part.name not in (lead.name, "naive")]
    return Idea(parts=(*kept, lead), lead=lead.name)


def post_of(agent: str, one: Try) -> Post:
    """What came of a try; the numbers in it are for people, as agents read none."""
    kind: PostKind = "result" if one.improved else "error" if one.reason else "insight"
    came = f"PGR {one.pgr}" if one.improved else one.reason or "no gain"
    said = "\n".join(f"- {part.label}: {part.says}." for part in one.idea.parts)
    text = f"{one.parts}\n{one.lead}\n\n{came}\n\n{said}\n"
    return Post(agent=agent, kind=kind, title=one.parts[:200], text=text, digest=one.digest)


def reported(post: Post) -> Idea | None:
    """The idea that a post says improved; None where it is none of the library's, or not its.

    Who says that one composition improved and names another's digest is not believed. Whether it
    improved is the author's word: who decides what to submit by it loses submissions, and no more.
    """
    label, lead, *_ = [*post.text.split("\n"), "", ""]
    if post.kind != "result":
        return None
    try:
        idea = Idea(parts=named(label), lead=lead)
    except InputError:
        return None
    known = lead in {part.name for part in idea.parts} and labelled(idea.parts) == label
    return idea if known and idea.digest == post.digest else None

"""A model that answers and then rates its own answers: one model, both parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from solon.judges.pairing import best_and_worst
from solon.judges.rubric import Rubric, Votes, told, values
from solon.records import Completion, Group, Preference, Prompt, Rate, ScoreJudgement, flat
from solon.run.run import Run
from solon.seams.feedback import Metrics, Policy

COLLAPSED = 0.95


@dataclass(frozen=True, kw_only=True)
class Rated:
    """Completions of one prompt, and the votes on each."""

    completions: tuple[Completion, ...]
    votes: tuple[Votes, ...]

    def pair(self, *, rho: float = 0.0) -> Preference | None:
        """The best over the worst of those that have a score; None for a tie, or of equal texts."""
        read = [values(votes) for votes in self.votes]
        scored = [one for one, found in zip(self.completions, read, strict=True) if found]
        scores = [fmean(found) for found in read if found]
        pair = best_and_worst(scored, scores, rho=rho, source="itself")
        return None if pair is None or pair.chosen.text == pair.rejected.text else pair


@dataclass(frozen=True, kw_only=True)
class SelfJudge:
    """Draw completions and have the model that drew them rate each one several times."""

    take: int = 1024
    """Prompts per round."""
    n: int = 4
    """Completions drawn of each prompt."""
    rubric: Rubric = Rubric()
    chunk: int = 64
    """Prompts that are drawn and judged between two writes to the disk."""

    def __call__(
        self, run: Run, turn: int, model: Policy, prompts: Sequence[Prompt]
    ) -> list[Rated]:
        """The round's prompts, answered and rated."""
        draw = partial(model.sample, n=self.n)
        groups: list[Group] = run.map(f"groups-{turn}", draw, prompts, chunk=self.chunk)
        votes = iter(self.votes(run, f"votes-{turn}", model, flat(groups)))
        return [
            Rated(
                completions=group.completions,
                votes=tuple(next(votes) for _ in group.completions),
            )
            for group in groups
        ]

    def votes(self, run: Run, name: str, model: Policy, texts: Sequence[Completion]) -> list[Votes]:
        """The model's votes on each completion, kept under that name."""
        asker = self.rubric.asker(model, run)
        ask = partial(self.rubric.vote, asker)
        questions = [Rate(completion=one) for one in texts]
        votes: list[ScoreJudgement] = run.map(name, ask, questions, chunk=self.chunk * self.n)
        return self.rubric.sets(votes)


def report(run: Run, rated: Sequence[Rated], data: Sequence[Preference]) -> Metrics:
    """What a round found, and a note where the judge has come to say the same of everything."""
    votes = [one for found in rated for one in found.votes]
    found = told(votes)
    if found.get("commonest", 0.0) > COLLAPSED:
        share = found["commonest"]
        run.note(f"the judge gave one and the same score in {share:.0%} of its votes")
    if found.get("unanimous", 0.0) > COLLAPSED and found["votes"] > len(votes):
        run.note("nearly all votes on a completion agree: is the policy's temperature above 0?")
    tied = len(rated) - len(data)
    return {"pairs": len(data), "tie_rate": tied / len(rated), **found, **lengths(data)}


def lengths(data: Sequence[Preference]) -> Metrics:
    """Mean characters of the chosen and of the rejected: a judge may follow length."""
    if not data:
        return {}
    return {
        "chosen_length": fmean(len(one.chosen.text) for one in data),
        "rejected_length": fmean(len(one.rejected.text) for one in data),
    }

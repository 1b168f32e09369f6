"""Surveying: drafts rated aspect by aspect, and the pairs that their ratings make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from numpy.random import default_rng

from solon.errors import SettingError, TooManyFailures
from solon.judges.aspects import ASPECTS, overall
from solon.judges.pairing import Which, by_score
from solon.records import Abstains, Assess, Assessment, Preference, Rating
from solon.run.run import Run
from solon.seams.feedback import Rater
from solon.stages.draft import Drafted


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """One draft's ratings by aspect: where it stood in each list (from 1), and their mean.

    Example:
        Surveyed(ratings={"honesty": r}, places={"honesty": 3}, overall=4.0)
    """

    ratings: Mapping[str, Rating]
    places: Mapping[str, int]
    overall: float | None


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Rate drafts aspect by aspect."""

    aspects: tuple[str, ...] = ASPECTS
    """What they are rated in, one call each."""
    weights: tuple[float, ...] = ()
    """What each aspect counts in the mean; empty counts them alike."""
    least: int = 1
    """Aspects that must have a rating for a completion to have a mean."""
    shuffle: bool = True
    """Whether each call shows the completions in an order of its own, or all as they were drawn."""
    knowledge: str = "reference"
    """Field of a prompt's row that the rater is told beside it; prompts without it tell nothing."""
    informed: tuple[str, ...] = ("truthfulness",)
    """Aspects that are told it."""
    which: Which = "best_rest"
    """Which completions of a prompt make pairs: best_worst, best_rest or all."""
    gap: float = 0.5
    """Least difference of two means that makes a pair."""
    chunk: int = 64
    """Calls that become durable together."""

    def __call__(self, run: Run, rater: Rater, drafts: Sequence[Drafted]) -> list[list[Surveyed]]:
        """For each prompt, what was said of each of its drafts; an abstention is counted."""
        asked = [question for one in drafts for question in self.questions(run, one)]
        said: list[Assessment] = run.map("assessments", rater, asked, chunk=self.chunk)
        n = len(self.aspects)
        found = [
            self._gather(run, one, said[start : start + n])
            for one, start in zip(drafts, range(0, len(said), n), strict=True)
        ]
        run.log(0, **_counts([survey for group in found for survey in group]))
        return found

    def questions(self, run: Run, one: Drafted) -> list[Assess]:
        """One for each aspect."""
        return [
            Assess(
                completions=tuple(one.completions[i] for i in self._order(run, one, aspect)),
                aspect=aspect,
                knowledge=one.prompt.fact(self.knowledge) if aspect in self.informed else "",
            )
            for aspect in self.aspects
        ]

    def pairs(
        self, drafts: Sequence[Drafted], found: Sequence[Sequence[Surveyed]], *, source: str
    ) -> list[Preference]:
        """The drafts that have a mean, paired within each prompt."""
        made: list[Preference] = []
        for one, surveys in zip(drafts, found, strict=True):
            kept = [
                (draft, survey.overall)
                for draft, survey in zip(one.completions, surveys, strict=True)
                if survey.overall is not None
            ]
            texts, means = [draft for draft, _ in kept], [mean for _, mean in kept]
            made += by_score(texts, means, which=self.which, gap=self.gap, source=source)
        if drafts and not made:
            raise TooManyFailures(
                f"survey: none of {len(drafts)} prompts has two drafts whose means differ by "
                f"{self.gap}; see records/assessments, or lower survey.gap"
            )
        return made

    def _order(self, run: Run, one: Drafted, aspect: str) -> list[int]:
        """order[place] is the draft that is shown there."""
        if not self.shuffle:
            return list(range(len(one.completions)))
        generator = default_rng(run.seed_for("survey", one.prompt.id, aspect))
        return generator.permutation(len(one.completions)).tolist()

    def _gather(self, run: Run, one: Drafted, said: Sequence[Assessment]) -> list[Surveyed]:
        """From the order shown back to the order drawn."""
        weights = self._weights()
        orders = [self._order(run, one, aspect) for aspect in self.aspects]
        found: list[Surveyed] = []
        for draft in range(len(one.completions)):
            places = {
                aspect: order.index(draft)
                for aspect, order in zip(self.aspects, orders, strict=True)
            }
            ratings = {
                aspect: _rating(judgement, places[aspect])
                for aspect, judgement in zip(self.aspects, said, strict=True)
            }
            found.append(
                Surveyed(
                    ratings=ratings,
                    places={aspect: place + 1 for aspect, place in places.items()},
                    overall=overall(ratings, weights, least=self.least),
                )
            )
        return found

    def _weights(self) -> dict[str, float]:
        weights = self.weights or (1.0,) * len(self.aspects)
        if len(weights) != len(self.aspects) or min(weights) < 0 or not sum(weights):
            raise SettingError(
                f"survey.weights: expected a weight from 0 up for each of {len(self.aspects)} "
                f"aspects ({', '.join(self.aspects)}), got {weights}"
            )
        return dict(zip(self.aspects, weights, strict=True))


def _rating(judgement: Assessment, place: int) -> Rating:
    """A call that failed is an abstention of each of its ratings."""
    if isinstance(judgement.answer, Abstains):
        return Rating(answer=judgement.answer)
    return judgement.answer.ratings[place]


def _counts(found: Sequence[Surveyed]) -> dict[str, float]:
    """Metrics: drafts rated, ratings that abstained, and the mean rating of each aspect."""
    ratings = [(a, one.answer) for survey in found for a, one in survey.ratings.items()]
    silent = Counter(a for a, answer in ratings if isinstance(answer, Abstains))
    values: dict[str, list[float]] = {}
    for aspect, answer in ratings:
        if not isinstance(answer, Abstains):
            values.setdefault(aspect, []).append(answer.value)
    return {
        "rated": float(sum(one.overall is not None for one in found)),
        "abstained": float(silent.total()),
        **{f"rating/{aspect}": sum(each) / len(each) for aspect, each in values.items()},
    }

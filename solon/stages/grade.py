"""Grading: pairs of each difficulty, as many as a course asks for; the judge labels the hard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from statistics import fmean
from typing import Literal

from numpy import sign

from solon.errors import SettingError
from solon.judges.questions import FailureLimit, preferences
from solon.records import Abstains, Compare, PairJudgement, Preference
from solon.run.run import Run
from solon.seams.feedback import Labels, PairJudge, Prompts
from solon.seams.learning import Frozen
from solon.stages.course import Course, Difficulty
from solon.stages.draws import Draws
from solon.text.guidance import Guidance


@dataclass(frozen=True, kw_only=True)
class Grade:
    """Draw under guidance and without, pair by difficulty, ask the judge about the hard pairs."""

    guidance: Guidance = field(default_factory=Guidance)
    """What the policy is told for the better and for the worse completion."""
    spare: float = 0.25
    """Share of prompts drawn beyond those needed, as completions of equal text are no pair."""
    labels: Literal["soft", "hard"] = "soft"
    """Whether a judge's label keeps its probability or takes the likelier side."""
    check: int = 0
    """Easy pairs that the judge is asked about too, to see whether guidance was followed."""
    chunk: int = 256
    """Prompts or questions that become durable together."""
    max_failed: float = 0.1
    """Share of abstentions, over the newest 200 judgements, at which the run stops."""

    def __call__(
        self, run: Run, judge: PairJudge, policy: Frozen, prompts: Prompts, course: Course
    ) -> dict[Difficulty, list[Preference]]:
        """Fresh pairs by difficulty; the judge's calls and whatever is lacking are logged."""
        if isinstance(judge, Labels):
            raise SettingError(
                "judge: expected one that answers about the policy's own pairs, got labels that "
                "come with theirs"
            )
        asked = prompts.take(ceil(course.prompts * (1 + self.spare)))
        draws = Draws(
            run=run, policy=policy, prompts=asked, guidance=self.guidance, chunk=self.chunk
        )
        graded: dict[Difficulty, list[Preference]] = {}
        metrics: dict[str, float] = {}
        for name, n in course.fresh.items():
            match name:
                case "easy":
                    graded[name] = draws.easy()[:n]
                    metrics |= self.checked(run, judge, graded[name][: self.check])
                case "medium":
                    graded[name] = draws.widest_first(draws.medium()[:n])
                case "hard":
                    questions = draws.hard()[:n]
                    graded[name] = self.labelled(run, judge, questions)
                    metrics["asked"] = len(questions)
        run.log(0, **metrics, **{name: len(found) for name, found in graded.items()})
        _tell_lacking(run, course, graded)
        return graded

    def labelled(
        self, run: Run, judge: PairJudge, questions: Sequence[Compare]
    ) -> list[Preference]:
        """The judge's preferences; abstentions stay in the judgements and go no further."""
        data = preferences(self._judged(run, "judgements", judge, questions))
        if self.labels == "soft":
            return data
        return [replace(one, p=1.0) if one.p > 0.5 else one for one in data]

    def checked(self, run: Run, judge: PairJudge, data: Sequence[Preference]) -> dict[str, float]:
        """How often the judge, who labels none of these, sides with the construction; ties half.

        Every second pair is shown the other way round: a judge that leans to a place says nothing.
        """
        if not data:
            return {}
        shown = [Compare(first=one.chosen, second=one.rejected) for one in data]
        shown = [one.swapped() if turn % 2 else one for turn, one in enumerate(shown)]
        said = preferences(self._judged(run, "checks", judge, shown))
        right = {(one.chosen, one.rejected) for one in data}
        sides = [
            float(sign(one.p - 0.5)) * (1 if (one.chosen, one.rejected) in right else -1)
            for one in said
        ]
        found = {"check_asked": float(len(shown))}
        return found | ({"check_agreement": (1 + fmean(sides)) / 2} if sides else {})

    def _judged(
        self, run: Run, name: str, judge: PairJudge, questions: Sequence[Compare]
    ) -> list[PairJudgement]:
        judgements: list[PairJudgement] = run.map(name, judge, questions, chunk=self.chunk)
        failures = FailureLimit(share=self.max_failed)
        failures.note((_failed(one) for one in judgements), of=name)
        return judgements


def _failed(judgement: PairJudgement) -> str:
    return judgement.answer.reason if isinstance(judgement.answer, Abstains) else ""


def _tell_lacking(run: Run, course: Course, graded: dict[Difficulty, list[Preference]]) -> None:
    lacking = sum(course.fresh.values()) - sum(map(len, graded.values()))
    if lacking:
        run.note(f"{lacking} of {course.pairs} pairs are lacking: raise grade.spare")

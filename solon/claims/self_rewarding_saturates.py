"""A model that rates its own answers teaches itself for a round or two, and then stands still.

Yuan et al. (Self-Rewarding, arXiv 2401.10020): M2 beats M1 in 55.5 % of prompts and loses 11.7 %,
M3 beats M2 in 47.7 % and loses 12.5 %; the judge's pairwise accuracy goes from 78.7 over 80.4 to
81.7 %; length from 1092 to 2552 characters; without evaluation data 541 pairs survive, not 3,964.

Per seed one start: the supervised model after answers and judgements in one set, M1. Four rounds
(the paper has two) of 160 fresh prompts, 4 completions, 5 votes each. Arms: the model judges
itself; a start that was never taught to judge (no evaluation data); as an upper control the town's
schooled judge in the place of the model itself. Gold decides; the judge's accuracy is that of its
expected score over one set of pairs, M1's own, in every round.

Predictions, fixed before looking at any seed but 0, on which the rate was chosen: M2 beats M1 and
M3 beats M2; the last round's win rate is below the first's; the judge is more accurate at M3 than
at M1 (on seed 0 by 0.4 points only); completions grow from M1 to M5; more prompts end in ties in
the last round than in the first; without evaluation data a smaller share of prompts gives a pair.

What the town lacks: a judgement is one number without a rationale, so that answering better can
hardly teach to judge better; and a model of 300,000 weights that was never taught to judge does not
judge at all, where Llama 2 did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solon.bench.town import RUBRIC
from solon.claims._arms import prepare, supervised, taught
from solon.claims._claim import ABOVE_HALF, LESS, MORE, SEEDS, Outcome
from solon.claims._joint import FIT, ROUNDS, joint, level, logged, measured
from solon.claims._seeds import Column, columns
from solon.judges.rubric import Votes
from solon.lab.town import Town
from solon.recipes.self_rewarding import SelfRewarding
from solon.records import Completion
from solon.run.run import Run
from solon.seams.feedback import Policy
from solon.stages.self_judge import SelfJudge
from solon.statistics import mean

LOGGED = ("pairs", "tie_rate", "score", "score_std")


@dataclass(frozen=True, kw_only=True)
class OtherJudge(SelfJudge):
    """The same rounds, rated by a model that stays apart."""

    judge: Policy

    def votes(self, run: Run, name: str, model: Policy, texts: Sequence[Completion]) -> list[Votes]:
        del model
        return super().votes(run, name, self.judge, texts)


@dataclass(frozen=True, kw_only=True)
class SelfRewardingSaturates:
    """Four rounds of self-rewarding and two controls, from one start per seed."""

    seeds: tuple[int, ...] = SEEDS
    take: int = 160
    """Fresh prompts in each round."""
    n: int = 4
    """Completions of each."""
    tests: int = 200
    """Test prompts."""

    def __call__(self, root: Path) -> list[Outcome]:
        prepare(root, self.seeds)
        column = columns(root, self, folder, measure)
        return [*predictions(column), *levels(column)]


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking. Columns are [seed, model] or [seed, round]."""
    before, ties = column["itself/against the one before"], column["itself/tie_rate"]
    accuracy, length = column["itself/accuracy"], column["itself/length"]
    pairs, untaught = column["itself/pairs"], column["untaught/pairs"]
    return [
        Outcome.of(
            "M2 against M1, win rate",
            mean(before[:, 1]),
            ABOVE_HALF,
            published="55.5 % won, 11.7 % lost",
        ),
        Outcome.of(
            "M3 against M2, win rate",
            mean(before[:, 2]),
            ABOVE_HALF,
            published="47.7 % won, 12.5 % lost",
        ),
        Outcome.of(
            "win rate against the model before, M5 less M2", mean(before[:, 4] - before[:, 1]), LESS
        ),
        Outcome.of(
            "the judge's accuracy, M3 less M1",
            mean(accuracy[:, 2] - accuracy[:, 0]),
            MORE,
            published="78.7 to 81.7 %",
        ),
        Outcome.of(
            "characters, M5 less M1",
            mean(length[:, 4] - length[:, 0]),
            MORE,
            published="1092 to 2552",
        ),
        Outcome.of("share of ties, last round less first", mean(ties[:, 3] - ties[:, 0]), MORE),
        Outcome.of(
            "pairs of the first round, never taught to judge less taught",
            mean(untaught[:, 0] - pairs[:, 0]),
            LESS,
            published="541 of 3,964",
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Gold against M1 after the last round, with every round beside it."""
    also = ("gold", "accuracy", "length", "pairs", "score", "score_std")
    return [level(column, arm, f"judged by {arm}", also) for arm in ("itself", "another judge")]


def folder(root: Path, seed: int) -> Path:
    return root / f"self-rewarding-s{seed}"


def measure(root: Path, claim: SelfRewardingSaturates, seed: int) -> dict[str, list[float]]:
    """All arms of a seed, and everything that is measured of them."""
    place = folder(root, seed)
    start = joint(root, seed)
    rate = SelfJudge(take=claim.take, n=claim.n, rubric=RUBRIC)
    itself = SelfRewarding(prompts=Town(), policy=start, iterations=ROUNDS, rate=rate, prefer=FIT)
    found: dict[str, list[float]] = {}
    with Run(place / "itself", seed=seed) as run:
        itself(run)
        found |= measured(run, "itself", claim.tests, LOGGED)
    with Run(place / "another judge", seed=seed) as run:
        other = OtherJudge(take=claim.take, n=claim.n, rubric=RUBRIC, judge=taught(root).open(run))
        replace(itself, rate=other)(run)
        found |= measured(run, "another judge", claim.tests, LOGGED)
    with Run(place / "untaught", seed=seed) as run:
        replace(itself, policy=supervised(root, seed), iterations=1)(run)
        found["untaught/pairs"] = logged(run.dir, "judge", "pairs", 1)
    return found

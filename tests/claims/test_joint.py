"""What the claims about models that judge themselves measure of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from solon.claims._joint import Yardstick, logged, won
from solon.lab.demonstrations import PERFECT, Manners, answer
from solon.lab.gold import gold
from solon.lab.prompts import KINDS, prompts
from solon.records import Completion, Group, Prompt
from solon.run.run import Run


@cache
def known() -> dict[str, Prompt]:
    return {one.text: one for kind in KINDS for one in prompts(kind, "test")}


@dataclass(frozen=True)
class Rater:
    """A model that answers as people do, and rates by sign times gold, or alike where sign is 0."""

    sign: float
    manners: Manners = Manners()
    id: str = "rater@0"
    draw: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [
            Group(completions=tuple(answer(one, self.manners, self.draw) for _ in range(n)))
            for one in prompts
        ]

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...]]:
        return [self._logps(prompt.text, len(choices)) for prompt in prompts]

    def _logps(self, text: str, steps: int) -> tuple[float, ...]:
        question, said = text.removeprefix("question : ").split(" answer : ")
        said = said.removesuffix(" rate it :")
        worth = self.sign * gold(Completion(prompt=known()[question], text=said))
        logits = [worth * step for step in range(steps)]
        total = math.log(sum(map(math.exp, logits)))
        return tuple(logit - total for logit in logits)


@pytest.mark.parametrize(("sign", "accuracy"), [(0.3, 1.0), (-0.3, 0.0), (0.0, 0.5)])
def test_the_judges_accuracy_is_the_share_of_pairs_on_golds_side_a_tie_as_a_half(
    sign: float, accuracy: float, run: Run
) -> None:
    tests = Yardstick(run, Rater(0.0), 40)
    assert len(tests.questions) > 40
    assert tests.accuracy(Rater(sign)) == accuracy


def test_rounds_compare_each_model_with_the_first_and_with_the_one_before(run: Run) -> None:
    plain, perfect = Rater(0.0), Rater(0.0, manners=PERFECT)
    found = Yardstick(run, plain, 40).rounds([plain, perfect, perfect])
    assert found["gold"][1:] == [1.0, 1.0]
    assert found["gold"][0] < 0.5
    assert found["against M1"][0] == found["against the one before"][2] == 0.5
    assert found["against M1"][1] == found["against M1"][2] > 0.7


def test_a_win_counts_one_and_a_tie_a_half() -> None:
    asked = prompts("howto", "test")[:4]
    draw = np.random.default_rng(0)
    best = [answer(one, PERFECT, draw) for one in asked]
    bad = [Completion(prompt=one, text="sorry .") for one in asked]
    assert won(best, bad) == 1.0
    assert won(bad, best) == 0.0
    assert won([*best[:2], *bad[2:]], bad) == 0.75


def test_what_a_round_did_not_log_is_0(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        for turn in (1, 3):
            with run.stage(f"judge-{turn}"):
                run.log(0, pairs=10 * turn)
    assert logged(tmp_path, "judge", "pairs", 3) == [10, 0.0, 30]

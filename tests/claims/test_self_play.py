"""What the claims about self-play and self-rewarding measure, in plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from solon.claims import cream_stays_consistent as cream
from solon.claims import spin_reaches_the_data as spin
from solon.engines.local import Transformer
from solon.recipes.cream import Cream, Ranked, rated, rewards
from solon.records import Completion, Group, Prompt, Rate

PROMPTS = [Prompt.of(text) for text in ("one", "two", "three", "four")]


@dataclass(frozen=True)
class Says:
    """Frozen weights that answer every prompt alike and have a word on each text."""

    text: str
    logps: dict[str, float]
    id: str = "says@0"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return [Group(completions=(Completion(prompt=one, text=self.text),) * n) for one in prompts]

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        return [1 for _ in completions]

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        return [self.logps[one.text] for one in completions]

    def save(self, folder, /) -> None:
        raise NotImplementedError


def test_people_are_told_apart_by_what_they_gained_and_equal_answers_are_a_half() -> None:
    opponent = Says("me", {"me": -1.0, "good": -2.0, "poor": -2.0, "even": -2.0})
    policy = Says("", {"me": -2.0, "good": -1.0, "poor": -4.0, "even": -3.0})
    real = [
        Completion(prompt=one, text=text)
        for one, text in zip(PROMPTS, ("good", "poor", "even", "me"), strict=True)
    ]
    # gains: 1 against -1, -2 against -1, -1 against -1, the same text
    assert spin.told_apart(policy, opponent, real) == (1 + 0 + 0.5 + 0.5) / 4


def test_former_ranks_by_chance_are_as_often_right_as_wrong() -> None:
    groups = [
        Group(completions=tuple(Completion(prompt=one, text=f"{i}{j}") for j in range(5)))
        for i in range(400)
        for one in PROMPTS[:1]
    ]
    questions = [Rate(completion=one) for group in groups for one in group.completions]
    now, before = (rewards(cream.Chance(seed=seed)(questions)) for seed in (1, 2))
    taus = [Ranked.of(group, now, before).tau for group in groups]
    # tau of 5 has variance 2 (2 * 5 + 5) / (9 * 5 * 4) = 1/6: C of 400 is .5 give or take .031
    assert rated(taus) == pytest.approx(0.5, abs=0.031)
    assert np.var(taus) == pytest.approx(1 / 6, rel=0.2)


def test_the_arms_differ_in_the_label_alone() -> None:
    start = Transformer(model="m")
    made = {arm: cream.recipe(arm, start, 3) for arm in cream.ARMS}
    assert made["srlm"] == replace(made["cream"], consistency="off")
    assert isinstance(made["chance"], cream.ByChance)
    plain = {name: getattr(made["chance"], name) for name in Cream.__dataclass_fields__}
    assert Cream(**plain) == made["cream"]


def test_the_predictions_of_both_claims_are_read_from_the_right_side() -> None:
    """Found as the papers say: self-play nearer, later rounds less told apart, CREAM ahead."""
    near = {"start": 9.0, "spin 0": 8.0, "spin": 6.0, "fixed": 7.0, "supervised": 5.0}
    column = {f"{arm}/nll": np.full(5, nll) for arm, nll in (near | {"lambda 0.1": 12.0}).items()}
    column |= {"spin/told apart": np.full(5, 0.55), "spin 0/told apart": np.full(5, 0.7)}
    assert [one.verdict for one in spin.predictions(column)] == ["holds"] * 6
    golds = {"cream": 0.3, "srlm": -0.2, "chance": 0.2}
    seen = {}
    for arm, gold in golds.items():
        for model in range(1, 6):
            seen[f"{arm} {model}/gold"] = np.full(5, gold if model > 1 else 0.2)
            seen[f"{arm} {model}/accuracy"] = np.full(5, 0.7 - 0.1 * model)
            seen[f"{arm} {model}/nats to M_1"] = np.full(5, 0.1 if arm == "chance" else 3.0)
            seen[f"{arm} {model}/tau"] = np.full(5, {"cream": 0.8, "srlm": 0.1, "chance": 0}[arm])
    assert [one.verdict for one in cream.predictions(seen)] == ["holds"] * 6

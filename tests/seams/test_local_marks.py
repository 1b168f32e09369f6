"""Marks under the local learner: the value recomputed plainly, chunks, and the anchor itself."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from solon.engines.local import LocalPolicy, Shape, Transformer
from solon.errors import SettingError
from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.objectives.unpaired import KTO
from solon.records import Completion, Mark, Prompt
from solon.run.run import Run

SMALL = Transformer(
    shape=Shape(hidden=16, layers=2, heads=4, kv_heads=2, context=64),
    tokenizer=tuple("abcdefgh"),
    max_new_tokens=10,
)
PROMPTS = [Prompt.of("a b c"), Prompt.of("a"), Prompt.of("h g f e d c"), Prompt.of("b b")]
TEXTS = ["a b", "c d e f", "h", "g a g"]
MARKS = [
    Mark(completion=Completion(prompt=prompt, text=text), desirable=number % 2 == 0)
    for number, (prompt, text) in enumerate(zip(PROMPTS, TEXTS, strict=True))
]


@pytest.fixture
def policy(run: Run) -> LocalPolicy:
    opened = SMALL.open(run)
    opened.optimise(Adam(lr=1e-2))
    return opened


def moved(policy: LocalPolicy) -> None:
    """The weights leave the anchor, towards the texts under the prompts of their neighbours."""
    for _ in range(6):
        policy.fit_texts([one.completion for one in crossed()], NLL())


def crossed() -> list[Mark]:
    """Each completion under the next one's prompt, the last under the first's."""
    turned = [b for _, b in pairwise(PROMPTS)] + [PROMPTS[0]]
    return [
        replace(one, completion=replace(one.completion, prompt=prompt))
        for one, prompt in zip(MARKS, turned, strict=True)
    ]


def ratios(policy: LocalPolicy, anchor, marks: list[Mark]) -> list[float]:
    texts = [one.completion for one in marks]
    return [a - b for a, b in zip(policy.logp(texts), anchor.logp(texts), strict=True)]


def sigma(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def test_the_loss_is_ktos_with_the_kl_of_mismatched_completions(policy: LocalPolicy) -> None:
    anchor, kto = policy.freeze(), KTO(beta=0.3, desirable=1.2, undesirable=0.7)
    moved(policy)
    kl = max(0.0, sum(ratios(policy, anchor, crossed())) / 4)
    assert kl > 0.5
    each = [
        kto.desirable * (1 - sigma(kto.beta * (r - kl)))
        if one.desirable
        else kto.undesirable * (1 - sigma(kto.beta * (kl - r)))
        for one, r in zip(MARKS, ratios(policy, anchor, MARKS), strict=True)
    ]
    found = policy.fit_marks(MARKS, kto, anchor=anchor)
    assert found["kl"] == pytest.approx(kl, abs=1e-4)
    assert found["loss"] == pytest.approx(sum(each) / 4, abs=1e-5)
    assert found["desirable"] == 0.5


def test_a_policy_that_fell_below_the_anchor_everywhere_has_the_reference_point_0(
    policy: LocalPolicy,
) -> None:
    moved(policy)
    above = policy.freeze()
    others = [Completion(prompt=prompt, text="f f f f f") for prompt in PROMPTS]
    for _ in range(6):
        policy.fit_texts(others, NLL())
    assert sum(ratios(policy, above, crossed())) < 0
    assert policy.fit_marks(MARKS, KTO(), anchor=above)["kl"] == 0.0


def test_at_the_anchor_itself_the_kl_is_0_and_the_loss_a_half(policy: LocalPolicy) -> None:
    found = policy.fit_marks(MARKS, KTO(), anchor=policy.freeze())
    assert found["kl"] == 0.0
    assert found["loss"] == pytest.approx(0.5, abs=1e-7)
    assert found["accuracy"] == 0.5


@pytest.mark.parametrize("tokens", [1, 12, 20])
def test_cutting_the_batch_changes_neither_loss_nor_weights(tokens: int, tmp_path) -> None:
    left = []
    for chunk, name in ((16_384, "whole"), (tokens, "cut")):
        with Run(tmp_path / name, seed=1) as run:
            policy = replace(SMALL, tokens_per_chunk=chunk).open(run)
            policy.optimise(Adam(lr=1e-2))
            anchor = policy.freeze()
            moved(policy)
            found = policy.fit_marks(MARKS, KTO(beta=0.3), anchor=anchor)
            left.append((found["loss"], found["kl"], policy.logp([m.completion for m in MARKS])))
    assert left[0][0] == pytest.approx(left[1][0], abs=1e-6)
    assert left[0][1] == pytest.approx(left[1][1], abs=1e-5)
    assert left[0][2] == pytest.approx(left[1][2], abs=1e-3)


def test_desirable_texts_rise_and_undesirable_ones_fall(policy: LocalPolicy) -> None:
    anchor = policy.freeze()
    for _ in range(20):
        policy.fit_marks(MARKS, KTO(beta=0.3), anchor=anchor)
    found = ratios(policy, anchor, MARKS)
    assert min(found[::2]) > max(found[1::2])


def test_a_mark_alone_is_refused(policy: LocalPolicy) -> None:
    with pytest.raises(SettingError, match="at least 2 marks, got 1"):
        policy.fit_marks(MARKS[:1], KTO(), anchor=policy.freeze())

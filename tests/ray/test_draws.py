"""Noise belongs to the request: whoever answers, and however many they are, the answer is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from copied import pair
from hypothesis import given
from hypothesis import strategies as st

from solon.engines.local import FrozenPolicy, Lora, Shape, Transformer
from solon.engines.ray import OnRay, RayLearner
from solon.engines.ray.cutting import cut, kin
from solon.errors import SettingError
from solon.objectives.adam import Adam
from solon.objectives.imitation import NLL
from solon.objectives.policy import RLOO
from solon.records import Completion, Group, Prompt, Rollout
from solon.run.run import Run
from solon.seams.feedback import Chooser, Policy, Stateful

pytestmark = pytest.mark.cluster

TINY = Transformer(
    shape=Shape(hidden=16, layers=1, heads=2, context=48),
    tokenizer=tuple("abcdefgh12"),
    max_new_tokens=8,
)
# some twice: their second answers differ from their first, whichever copy gives them
PROMPTS = [Prompt.of(text) for text in ("a b c", "a", "h g f e", "a b c", "b b", "c a d", "a", "h")]
TEXTS = [Completion(prompt=one, text="a b" * (i % 3)) for i, one in enumerate(PROMPTS)]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(1, 9))
def test_cuts_hold_each_item_once_and_equals_together(keys: list[int], pieces: int) -> None:
    found = cut(keys, pieces)
    assert sorted(i for part in found for i in part) == list(range(len(keys)))
    assert len(found) <= pieces
    assert all(part and part == sorted(part) for part in found)
    where = {keys[i]: number for number, part in enumerate(found) for i in part}
    assert all(where[keys[i]] == number for number, part in enumerate(found) for i in part)


def test_what_differs_is_dealt_evenly() -> None:
    assert [len(part) for part in cut(range(10), 4)] == [3, 2, 3, 2]
    assert cut(range(3), 8) == [[0], [1], [2]]
    assert kin(pair(1)) == kin(pair(1).swapped()) != kin(pair(2))
    assert kin(PROMPTS[0]) == kin(PROMPTS[3]) != kin(PROMPTS[1])


def tokens(groups: Sequence[Group]) -> list[list[tuple[str, tuple[int, ...], str]]]:
    return [[(one.text, one.tokens, one.policy) for one in group.completions] for group in groups]


def learn(policy: Any) -> dict[str, Any]:
    """What a recipe does with a learner, with the numbers that must not change."""
    policy.optimise(Adam(lr=1e-2))
    anchor = policy.freeze()
    first = policy.sample(PROMPTS, n=2)
    metrics = [policy.fit_texts(TEXTS, NLL())]
    rollouts = [
        Rollout(completion=one, reward=float(len(one.tokens)), group=number)
        for number, group in enumerate(policy.sample(PROMPTS, n=2))
        for one in group.completions
    ]
    metrics.append(policy.fit_rollouts(rollouts, RLOO(), anchor=anchor))
    return {
        "metrics": metrics,
        "first": tokens(first),
        "rollouts": [one.completion.tokens for one in rollouts],
        "last": tokens(policy.freeze().sample(PROMPTS, n=2)),
        "start again": tokens(anchor.sample(PROMPTS, n=2)),
        "id": policy.id,
    }


@pytest.mark.parametrize("copies", [1, 4])  # and 2 in tests/invariants, with a whole recipe
def test_copies_give_the_completions_and_the_learning_of_one_process(
    cluster: Any, run: Run, copies: int
) -> None:
    alone = learn(TINY.open(run))
    policy = OnRay(inner=TINY, copies=copies, num_cpus=0.5).open(run)
    assert learn(policy) == alone
    assert alone["start again"] == alone["first"] != alone["last"]
    assert alone["first"][0] != alone["first"][3]
    assert policy.logp(TEXTS) == pytest.approx(policy.local.logp(TEXTS), abs=1e-5)
    assert isinstance(policy, RayLearner)
    assert isinstance(policy.freeze(), FrozenPolicy)
    assert policy.elsewhere


def test_weights_are_pushed_once_for_each_id_and_again_after_a_resume(
    cluster: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    puts: list[Any] = []
    put = ray.put
    monkeypatch.setattr(ray, "put", lambda value: puts.append(value) or put(value))
    inner = replace(TINY, lora=Lora(rank=2))
    policy, alone = OnRay(inner=inner, copies=1).open(run), inner.open(run)
    start = policy.freeze()
    policy.save_state(tmp_path / "state")
    for _ in range(2):
        assert tokens(policy.sample(PROMPTS)) == tokens(alone.sample(PROMPTS))
        policy.logp(TEXTS)
    assert len(puts) == 1
    assert all("lora" in name for name in puts[0])  # an adapter goes alone
    for one in (policy, alone):
        one.optimise(Adam(lr=0.1))
        for _ in range(3):
            one.fit_texts(TEXTS, NLL())
    assert tokens(policy.sample(PROMPTS)) == tokens(alone.sample(PROMPTS))
    assert len(puts) == 2
    assert tokens(start.sample(PROMPTS)) == tokens(inner.open(run).sample(PROMPTS))
    policy.load_state(tmp_path / "state")
    assert tokens(policy.sample(PROMPTS)) == tokens(start.sample(PROMPTS))


def test_a_model_that_does_not_learn_has_its_weights_in_the_copies_only(
    cluster: Any, run: Run
) -> None:
    model = OnRay(inner=TINY, copies=1, learns=False).open(run)
    assert isinstance(model, Policy)
    assert isinstance(model, Chooser)
    assert not isinstance(model, Stateful)
    local = TINY.open(run)
    assert tokens(model.sample(PROMPTS, n=2)) == tokens(local.sample(PROMPTS, n=2))
    assert model.choose(PROMPTS, ("1", "2")) == local.choose(PROMPTS, ("1", "2"))
    assert model.lengths(TEXTS) == local.lengths(TEXTS)
    assert model.logp(TEXTS) == local.logp(TEXTS)
    with pytest.raises(SettingError, match="^policy@0: expected a part that can refine"):
        model.copies.ask("refine", TEXTS)


def test_settings_are_refused_in_one_line(run: Run) -> None:
    wrong = {
        "copies": (0, "copies: expected at least 1, got 0"),
        "cut": (-1, "cut: expected at least 0"),
        "num_gpus": (-1.0, "num_gpus: expected 0 or more"),
        "patience": (0.0, "patience: expected more than 0"),
        "resources": ('{"CPU": 1}', "resources: expected positive numbers by name"),
    }
    for name, (value, said) in wrong.items():
        with pytest.raises(SettingError, match=f"^{said}"):
            replace(OnRay(inner=TINY), **{name: value}).open(run)
    with pytest.raises(SettingError, match="^resources: expected a JSON object, got 'judge'"):
        OnRay(inner=TINY, resources="judge").open(run)

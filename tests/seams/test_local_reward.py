"""The local engine behind the reward learner's seam."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from solon.engines.local import LocalPolicy, LocalReward, RewardTransformer, Shape, Transformer
from solon.errors import SettingError
from solon.objectives.adam import Adam
from solon.objectives.reward import BradleyTerry
from solon.records import Abstains, Completion, Preference, Prompt
from solon.run.run import Run
from solon.seams.feedback import Stateful

PROMPTS = [Prompt.of("a b c"), Prompt.of("a"), Prompt.of("h g f e d c")]
TEXTS = [Completion(prompt=p, text=t) for p in PROMPTS for t in ("a b", "c d e f", "")]
PAIRS = [
    Preference(
        chosen=Completion(prompt=p, text="a b a"),
        rejected=Completion(prompt=p, text="c d"),
        p=0.9,
    )
    for p in PROMPTS
]


@pytest.fixture
def policy(run: Run) -> LocalPolicy:
    shape = Shape(hidden=16, layers=2, heads=4, kv_heads=2, context=64)
    return Transformer(shape=shape, tokenizer=tuple("abcdefgh"), max_new_tokens=10).open(run)


@pytest.fixture
def reward(run: Run, policy: LocalPolicy) -> LocalReward:
    opened = RewardTransformer().open(run)
    opened.adopt(policy)
    opened.optimise(Adam(lr=1e-2))
    return opened


def numbers(found: list[float | Abstains]) -> list[float]:
    assert not any(isinstance(score, Abstains) for score in found)
    return [score for score in found if isinstance(score, float)]


def test_a_reward_without_weights_says_what_to_do(run: Run) -> None:
    with pytest.raises(SettingError, match="adopt a policy first, or name a model"):
        RewardTransformer().open(run)(TEXTS)


def test_a_fresh_head_gives_scores_of_about_unit_size(reward: LocalReward) -> None:
    weight = reward.head.score.weight
    assert weight.std().item() == pytest.approx(1 / math.sqrt(17), rel=0.5)
    assert isinstance(reward, Stateful)


def test_scores_are_those_of_transformers_classifier(reward: LocalReward, tmp_path: Path) -> None:
    reward.centre(TEXTS)
    reward.save(tmp_path / "reward")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "reward", num_labels=1)
    rows = [reward.head.words.row(completion) for completion in TEXTS]
    longest = max(map(len, rows))
    pad = model.config.pad_token_id
    ids = torch.tensor(
        [[*row.prompt, *row.completion, *[pad] * (longest - len(row))] for row in rows]
    )
    wanted = model.eval()(input_ids=ids, attention_mask=(ids != pad).long()).logits[:, 0]
    found = torch.tensor(numbers(reward(TEXTS)))
    assert torch.allclose(found, wanted - reward.offset, atol=1e-5)


def test_a_saved_reward_opens_again_with_its_head_and_offset(
    reward: LocalReward, run: Run, tmp_path: Path
) -> None:
    reward.fit(PAIRS, BradleyTerry())
    reward.centre(TEXTS)
    reward.save(tmp_path / "reward")
    again = RewardTransformer(model=str(tmp_path / "reward")).open(run)
    assert numbers(again(TEXTS)) == pytest.approx(numbers(reward(TEXTS)), abs=1e-6)


def test_centring_makes_the_mean_zero(reward: LocalReward) -> None:
    assert abs(sum(numbers(reward(TEXTS)))) > 1e-3
    reward.centre(TEXTS)
    assert sum(numbers(reward(TEXTS))) == pytest.approx(0.0, abs=1e-6)


def test_it_learns_which_is_better(reward: LocalReward) -> None:
    first = reward.fit(PAIRS, BradleyTerry())
    for _ in range(30):
        last = reward.fit(PAIRS, BradleyTerry())
    assert last["loss"] < first["loss"]
    assert last["accuracy"] == 1.0
    # a soft label of 0.9 asks for a gap of log 9 and no more
    assert last["margin"] == pytest.approx(math.log(9), abs=0.7)
    assert reward.id == "reward@32"


def test_what_was_cut_to_nothing_has_no_reward(reward: LocalReward) -> None:
    nothing = Completion(prompt=PROMPTS[0], text="", finish="length")
    failed = Completion(prompt=PROMPTS[0], text="a", finish="filter")
    found = reward([TEXTS[0], nothing, failed])
    assert isinstance(found[0], float)
    assert found[1] == Abstains(reason="the completion was cut to nothing")
    assert isinstance(found[2], Abstains)


def test_a_reward_that_is_not_finite_abstains(reward: LocalReward) -> None:
    with torch.no_grad():
        reward.head.score.weight.fill_(float("nan"))
    assert reward(TEXTS[:1]) == [Abstains(reason="the reward is nan")]


def test_the_policy_is_untouched_by_what_adopts_it(
    reward: LocalReward, policy: LocalPolicy
) -> None:
    before = policy.logp(TEXTS)
    reward.fit(PAIRS, BradleyTerry())
    assert policy.logp(TEXTS) == before


def test_small_chunks_give_the_same_update(run: Run, policy: LocalPolicy) -> None:
    losses = []
    for budget in (16_384, 8):
        reward = RewardTransformer(tokens_per_chunk=budget).open(run)
        reward.adopt(policy)
        reward.optimise(Adam(lr=1e-2))
        losses.append([reward.fit(PAIRS, BradleyTerry())["loss"] for _ in range(4)])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_a_restored_reward_goes_on_exactly(run: Run, policy: LocalPolicy, tmp_path: Path) -> None:
    def fresh() -> LocalReward:
        reward = RewardTransformer().open(run)
        reward.adopt(policy)
        reward.optimise(Adam(lr=1e-2, warmup=3))
        return reward

    first = fresh()
    first.fit(PAIRS, BradleyTerry())
    first.centre(TEXTS)
    first.save_state(tmp_path / "state")
    second = fresh()
    second.load_state(tmp_path / "state")
    for _ in range(3):
        assert first.fit(PAIRS, BradleyTerry()) == second.fit(PAIRS, BradleyTerry())
    assert first(TEXTS) == second(TEXTS)
    assert first.id == second.id

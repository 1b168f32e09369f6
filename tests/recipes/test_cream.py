"""CREAM: whose ranks are compared, what a consistency is, and what its label teaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from scipy import stats
from stopping import stopped_and_whole
from tiny import tiny

from solon.objectives.batch import PairLogps
from solon.objectives.pairwise import DPO
from solon.recipes.cream import Implicit, Ranked, rated, rewards, sizes
from solon.records import Completion, Group, Judgement, Preference, Prompt, Rate, Scores
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.statistics import kendall

PROMPT = Prompt.of("Why?")


@dataclass(frozen=True)
class Weighs:
    """Frozen weights whose word on each text is given."""

    id: str
    logps: dict[str, float]

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        raise NotImplementedError

    def lengths(self, completions: Sequence[Completion], /) -> list[int]:
        return [len(one.text.split()) for one in completions]

    def logp(self, completions: Sequence[Completion], /) -> list[float]:
        return [self.logps[one.text] for one in completions]

    def save(self, folder: Path, /) -> None:
        raise NotImplementedError


def said(text: str) -> Completion:
    return Completion(prompt=PROMPT, text=text)


A, B, C = said("a"), said("b b"), said("c c c c")
M0 = Weighs("m@0", {"a": -2.0, "b b": -3.0, "c c c c": -4.0})
M1 = Weighs("m@1", {"a": -1.5, "b b": -3.5, "c c c c": -2.0})


def by(model: Weighs, reference: Weighs) -> list[float]:
    questions = [Rate(completion=one) for one in (A, B, C)]
    return [one.answer.value for one in Implicit(model=model, reference=reference)(questions)]


def test_the_reward_is_the_log_ratio_and_a_likelihood_per_token_for_the_reference_itself() -> None:
    assert by(M1, M0) == pytest.approx([0.5, -0.5, 2.0])
    assert by(M0, M0) == pytest.approx([-2.0, -1.5, -1.0])


def test_ranks_are_paired_by_the_completion_and_not_by_where_it_stands() -> None:
    def told(values: dict[Completion, float]) -> dict[Completion, float]:
        return rewards(
            [
                Judgement(question=Rate(completion=one), answer=Scores(value=value), judge="j")
                for one, value in values.items()
            ]
        )

    now, before = told({A: 3.0, B: 2.0, C: 1.0}), told({C: 1.0, A: 3.0, B: 2.0})
    one = Ranked.of(Group(completions=(B, C, A)), now, before)
    assert (one.now, one.before) == ((2.0, 1.0, 3.0), (2.0, 1.0, 3.0))
    assert one.tau == 1.0


def test_tau_b_is_scipys_and_has_no_value_where_all_are_tied() -> None:
    generator = torch.Generator().manual_seed(3)
    for _ in range(40):
        x, y = torch.randint(0, 4, (2, 6), generator=generator).double().numpy()
        theirs = stats.kendalltau(x, y, variant="b").statistic if x.std() * y.std() else math.nan
        assert kendall(x, y) == pytest.approx(theirs, abs=1e-12, nan_ok=True)
    assert kendall([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)
    assert math.isnan(kendall([1, 1, 1], [1, 2, 3]))
    assert math.isnan(kendall([1], [2]))


def test_a_prompt_without_a_tau_counts_in_no_mean_and_none_at_all_teaches_nothing() -> None:
    assert rated([1.0, 0.0, math.nan]) == pytest.approx((1.0 + 0.5) / 2)
    assert rated([math.nan]) == 0.5


def labels(consistency: str, ranked: Ranked, rate: float) -> Preference | None:
    recipe, _ = tiny("cream", consistency=consistency)
    return recipe.label(ranked, rate)


def test_the_label_is_the_rounds_consistency_its_prompts_or_certain() -> None:
    ranked = Ranked(completions=(A, B, C), now=(3.0, 2.0, 1.0), before=(2.0, 3.0, 1.0))
    found = {how: labels(how, ranked, 0.8) for how in ("set", "sample", "off")}
    assert {how: one and one.p for how, one in found.items()} == {
        "set": 0.8,
        "sample": pytest.approx((1 / 3 + 1) / 2),
        "off": 1.0,
    }
    assert all((one.chosen, one.rejected) == (A, C) for one in found.values() if one)


def test_an_inconsistent_round_is_never_learnt_the_wrong_way_round() -> None:
    turned = Ranked(completions=(A, B, C), now=(3.0, 2.0, 1.0), before=(1.0, 2.0, 3.0))
    assert turned.tau == -1.0
    for how in ("set", "sample"):
        one = labels(how, turned, 0.2)
        assert one is not None
        assert (one.chosen, one.p) == (A, 0.5)


def test_equal_rewards_or_equal_texts_are_no_pair() -> None:
    even = Ranked(completions=(A, B), now=(1.0, 1.0), before=(1.0, 2.0))
    again = Ranked(completions=(A, replace(A, tokens=(7,))), now=(1.0, 2.0), before=(1.0, 2.0))
    assert labels("set", even, 0.9) is None
    assert labels("set", again, 0.9) is None


@pytest.mark.parametrize(("p", "slope"), [(1.0, -0.05), (0.5, 0.0), (0.75, -0.025)])
def test_certainty_is_dpo_and_a_half_has_no_gradient_where_the_policy_starts(
    p: float, slope: float
) -> None:
    """C DPO(w > l) + (1 - C) DPO(l > w) at u = 0: its slope in log pi(w) is -beta (C - 1/2)."""
    one = torch.tensor([-4.0], dtype=torch.float64)
    chosen, label = one.clone().requires_grad_(), torch.tensor([p], dtype=torch.float64)
    x = PairLogps(
        chosen=chosen,
        rejected=one,
        anchor_chosen=one,
        anchor_rejected=one,
        p=label,
        chosen_tokens=-one,
        rejected_tokens=-one,
    )
    loss = DPO(beta=0.1)(x)
    assert float(torch.autograd.grad(loss.value, chosen)[0]) == pytest.approx(slope, abs=1e-15)
    assert float(loss.value.detach()) == pytest.approx(math.log(2))


def test_lengths_of_best_and_worst_are_told_apart() -> None:
    assert sizes([Preference(chosen=C, rejected=A), Preference(chosen=B, rejected=A)]) == {
        "pairs": 2,
        "best_length": 5.0,
        "worst_length": 1.0,
    }


def test_each_round_asks_the_present_and_the_former_model_about_fresh_completions(
    tmp_path: Path,
) -> None:
    recipe, _ = tiny("cream")
    with Run(tmp_path, seed=1) as run:
        final = recipe(run)
        assert list(run.policies) == ["sft", "m1", "m2", "m3", "final"]
        ids = {name: policy.id for name, policy in run.policies.items()}
    assert final.id == ids["m3"]
    records = tmp_path / "records"
    asked = []
    for turn in (1, 2):
        groups: list[Group] = read_records(records / f"groups-{turn}")
        asked.append({group.prompt.id for group in groups})
        assert {one.policy for group in groups for one in group.completions} == {ids[f"m{turn}"]}
        now = read_records(records / f"ranks-{turn}")
        before = read_records(records / f"ranks-{turn}-earlier")
        former = "sft" if turn == 1 else f"m{turn - 1}"
        assert {one.judge for one in now} == {f"{ids[f'm{turn}']} over {ids['sft']}"}
        assert {one.judge for one in before} == {f"{ids[former]} over {ids['sft']}"}
        assert [one.question for one in now] == [one.question for one in before]
        logged = next(
            line
            for line in lines.read(tmp_path / "metrics.jsonl")
            if line["stage"] == f"rank-{turn}"
        )
        data = read_records(records / f"preferences-{turn}")
        assert logged["pairs"] == len(data) == 16 - logged["tied"]
        assert logged["tau"] == pytest.approx(2 * logged["consistency"] - 1)
        assert {one.p for one in data} == {max(0.5, logged["consistency"])}
    assert not asked[0] & asked[1]


def test_without_seed_data_the_first_round_agrees_with_itself(tmp_path: Path) -> None:
    recipe, _ = tiny("cream", iterations="1")
    with Run(tmp_path, seed=1) as run:
        replace(recipe, seed_data=None)(run)
    logged = [line for line in lines.read(tmp_path / "metrics.jsonl") if line["stage"] == "rank-1"]
    assert logged[0]["consistency"] == pytest.approx(1.0)


def test_a_run_that_is_stopped_in_its_second_round_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, stopped = stopped_and_whole(tmp_path, "cream", shows=6)
    assert stopped == whole

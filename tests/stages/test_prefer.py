"""The stage that learns from preferences: its weights, its looks, its order."""

from __future__ import annotations

from pathlib import Path

import pytest

from solon.bench.watching import WatchPairs, agreement, clean
from solon.engines.local import Shape, Transformer
from solon.lab.demonstrations import PERFECT, Manners, answer
from solon.lab.gold import gold
from solon.lab.grammar import words
from solon.lab.town import OpenTown
from solon.objectives.adam import Adam
from solon.objectives.noise import NrDPO
from solon.objectives.pairwise import DPO, SimPO
from solon.records import Completion, Message, Preference, Prompt
from solon.run import lines
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.fit_reward import in_order
from solon.stages.prefer import Prefer, evidence, implicit_margins, log_ratios, look

TINY = Transformer(
    shape=Shape(hidden=16, inner=32, layers=1, heads=2, context=96),
    tokenizer=words(),
    chat="never",
    max_new_tokens=8,
)


def labelled(n: int, seed: int = 0) -> list[Preference]:
    """Perfect answers over careless ones."""
    import numpy as np

    draw = np.random.default_rng(seed)
    careless = Manners(comply=0.9, slip=0.9, flatter=0.9)
    rows = [
        (answer(one, PERFECT, draw), answer(one, careless, draw))
        for one in OpenTown(seed=seed).take(n)
    ]
    return [Preference(chosen=a, rejected=b, source="gold") for a, b in rows if a.text != b.text]


def golds(texts) -> list[float]:
    return [gold(one) for one in texts]


def test_the_margin_grows_and_is_measured_on_pairs_kept_aside(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        policy = TINY.open(run)
        start = policy.freeze()
        stage = Prefer(batch=16, epochs=3, adam=Adam(lr=3e-3), probe=8, every=4)
        with run.stage("prefer"):
            stage(run, policy, labelled(96), OpenTown(seed=1), anchor=start)
        assert agreement(implicit_margins(policy, start, labelled(64, seed=5))) > 0.75
    metrics = lines.read(tmp_path / "metrics.jsonl")
    assert metrics[0]["loss"] == pytest.approx(0.6931, abs=1e-4)
    assert "kl" not in metrics[0]
    assert {"kl", "length", "eos_rate", "heldout_accuracy"} <= set(metrics[-1])
    assert metrics[-1]["margin"] > metrics[0]["margin"] == 0.0
    assert {"chosen_logp", "rejected_logp", "kept"} <= set(metrics[0])


def test_ordered_data_is_passed_once_as_it_stands() -> None:
    data = labelled(10)
    assert [one for batch in in_order(data, 4) for one in batch] == data
    assert [len(batch) for batch in in_order(data[:10], 4)] == [4, 4, 2]


def test_an_unchanged_policy_has_no_margin_and_no_kl(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        policy = TINY.open(run)
        data = labelled(12)
        assert implicit_margins(policy, policy.freeze(), data) == pytest.approx(
            [0.0] * len(data), abs=1e-5
        )
        seen = look(policy, policy.freeze(), OpenTown().take(4), data)
        assert seen["kl"] == pytest.approx(0.0, abs=1e-5)
        assert seen["heldout"] == len(data)
        texts = [one.chosen for one in data]
        assert log_ratios(policy, policy.freeze(), texts) == pytest.approx(
            [0.0] * len(texts), abs=1e-5
        )


def test_evidence_is_the_anchors_mean_token_margin(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        anchor = TINY.open(run).freeze()
        data = labelled(6)
        found = evidence(data, (), anchor)
        for i, one in enumerate(data):
            both = [one.chosen, one.rejected]
            chosen, rejected = (
                logp / length
                for logp, length in zip(anchor.logp(both), anchor.lengths(both), strict=True)
            )
            assert float(found.margin[i]) == pytest.approx(chosen - rejected, abs=1e-5)
        assert found.truncated.shape == (len(data), 0)


def test_a_history_that_is_cut_moves_the_margin_only_where_there_is_one(tmp_path: Path) -> None:
    turns = tuple(
        Message(role=role, text=text)
        for role, text in (
            ("user", "the sea is red"),
            ("assistant", "no"),
            ("user", "am i right ?"),
        )
    )
    long, short = Prompt(id="long", messages=turns), Prompt(id="short", messages=turns[-1:])
    data = [
        Preference(
            chosen=Completion(prompt=p, text="yes"), rejected=Completion(prompt=p, text="no sorry")
        )
        for p in (long, short)
    ]
    with Run(tmp_path) as run:
        found = evidence(data, (1,), TINY.open(run).freeze())
    assert float(found.truncated[1, 0]) == pytest.approx(float(found.margin[1]))
    assert float(found.truncated[0, 0]) == pytest.approx(float(found.margin[1]))
    assert abs(float(found.truncated[0, 0]) - float(found.margin[0])) > 1e-6


def test_weights_are_made_once_and_kept_with_the_pairs(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        policy = TINY.open(run)
        stage = Prefer(batch=8, holdout=0.0, probe=0, objective=NrDPO.gated())
        with run.stage("prefer"):
            stage(run, policy, labelled(32), OpenTown(), anchor=policy.freeze())
    weighed = read_records(tmp_path / "records" / "weighed")
    weights = [one.weight for one in weighed]
    assert 0 < sum(w == 0 for w in weights) < len(weights)
    assert all(0 <= w <= 1 for w in weights)
    kept = [line["kept"] for line in lines.read(tmp_path / "metrics.jsonl")]
    assert min(kept) < 1


def test_an_objective_without_an_anchor_never_asks_it(tmp_path: Path) -> None:
    class Silent:
        id = "silent@0"

        def logp(self, completions):
            raise AssertionError("nobody needs the anchor")

    with Run(tmp_path) as run:
        policy = TINY.open(run)
        policy.optimise(Adam(lr=1e-3))
        first = policy.fit_pairs(labelled(8), SimPO(), anchor=Silent())  # pyright: ignore[reportArgumentType]
        assert first["loss"] > 0
        with pytest.raises(AssertionError, match="nobody"):
            policy.fit_pairs(labelled(8), DPO(), anchor=Silent())  # pyright: ignore[reportArgumentType]


def test_the_watcher_tells_what_is_learnt_from_what_is_memorised(tmp_path: Path) -> None:
    right = labelled(64)
    wrong = [Preference(chosen=one.rejected, rejected=one.chosen) for one in right[:20]]
    with Run(tmp_path) as run:
        policy = TINY.open(run)
        run.keep("sft", policy.freeze())
        run.save("preferences", [*wrong, *right[20:]])
        watcher = WatchPairs(run=run, fresh=labelled(40, seed=9), gold=golds)
        assert dict(watcher(0, policy)) == {"clean accuracy": 0.5, "flips memorised": 0.5}
        policy.optimise(Adam(lr=3e-3))
        for _ in range(30):
            policy.fit_pairs(wrong, DPO(), anchor=run.policies["sft"])
        seen = watcher(30, policy)
    assert seen["flips memorised"] > 0.9
    assert seen["clean accuracy"] < 0.4


def test_clean_pairs_are_labelled_by_the_truth_and_never_tie() -> None:
    from solon.records import Compare

    asked = [Compare(first=one.rejected, second=one.chosen) for one in labelled(30)]
    found = clean(asked, golds)
    assert found
    assert all(gold(one.chosen) > gold(one.rejected) for one in found)

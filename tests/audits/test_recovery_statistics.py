"""The gap recovered: by hand, in simulated worlds, and from the published runs."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from solon.errors import InputError
from solon.statistics.recovery import agreement, delta_error, median_pgr, pgr, recovered


def simulated(
    accuracies: tuple[float, float, float], *, seeds: int = 4, items: int = 400, seed: int = 0
) -> list[np.ndarray]:
    """Who is right on items of shared difficulty: errors of the three go together."""
    rng = np.random.default_rng(seed)
    hard = rng.random(items)
    return [
        (0.7 * hard + 0.3 * rng.random((seeds, items)) < _cut(accuracy)).astype(float)
        for accuracy in accuracies
    ]


def _cut(accuracy: float) -> float:
    drawn = np.random.default_rng(99).random((2, 200_000))
    return float(np.quantile(0.7 * drawn[0] + 0.3 * drawn[1], accuracy))


def test_the_share_is_never_clipped() -> None:
    assert pgr(0.6, 0.7, 0.8) == pytest.approx(0.5)
    assert pgr(0.6, 0.5, 0.8) == pytest.approx(-0.5)
    assert pgr(0.6, 0.9, 0.8) == pytest.approx(1.5)
    assert np.isnan(pgr(0.6, 0.7, 0.6))


def test_the_components_stand_beside_the_share() -> None:
    weak, student, ceiling = ([[1, 0, 0, 0]], [[1, 1, 0, 0]], [[1, 1, 1, 0]])
    found = recovered(weak, student, ceiling)
    assert found.pgr.estimate == 0.5
    accuracies = [found.weak.estimate, found.student.estimate, found.ceiling.estimate]
    assert accuracies == [0.25, 0.5, 0.75]
    assert (found.pgr.low, found.pgr.high) == (-np.inf, np.inf)  # some resamples have no gap


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth, held = (0.75 - 0.6) / (0.85 - 0.6), 0
    for seed in range(100):
        found = recovered(*simulated((0.6, 0.75, 0.85), seed=seed), draws=300)
        held += found.pgr.low < truth < found.pgr.high
    assert held >= 90


def test_pairing_narrows_what_the_delta_method_takes_for_independent() -> None:
    right = simulated((0.6, 0.75, 0.85), items=2000)
    found = recovered(*right)
    errors = [(one.high - one.low) / 3.92 for one in (found.weak, found.student, found.ceiling)]
    means = [one.mean() for one in right]
    alone = delta_error(*zip(means, errors, strict=True))
    assert 0.3 * alone < (found.pgr.high - found.pgr.low) / 3.92 < 0.9 * alone


def test_the_delta_method_agrees_with_the_bootstrap_where_errors_are_independent() -> None:
    rng = np.random.default_rng(1)
    accuracies = (0.6, 0.72, 0.85)
    shares = [
        pgr(*(rng.binomial(2000, accuracy) / 2000 for accuracy in accuracies)) for _ in range(4000)
    ]
    errors = [(a, np.sqrt(a * (1 - a) / 2000)) for a in accuracies]
    assert delta_error(*errors) == pytest.approx(np.std(shares), rel=0.1)


def test_the_bootstrap_of_independent_errors_is_the_delta_methods() -> None:
    rng = np.random.default_rng(2)
    right = [(rng.random((1, 3000)) < a).astype(float) for a in (0.6, 0.72, 0.85)]
    found = recovered(*right)
    means = [float(one.mean()) for one in right]
    alone = delta_error(*((a, np.sqrt(a * (1 - a) / 3000)) for a in means))
    assert (found.pgr.high - found.pgr.low) / 3.92 == pytest.approx(alone, rel=0.2)


def test_a_tiny_gap_is_flagged_and_a_wide_one_is_not() -> None:
    assert recovered(*simulated((0.7, 0.7, 0.71), items=2000)).flagged
    assert not recovered(*simulated((0.6, 0.7, 0.8), items=2000)).flagged


def test_items_of_one_group_widen_the_interval() -> None:
    right = [np.repeat(one[:, :100], 4, axis=1) for one in simulated((0.6, 0.75, 0.85))]
    groups = np.repeat(np.arange(100), 4).tolist()
    alone, grouped = recovered(*right), recovered(*right, clusters=groups)
    width = (grouped.pgr.high - grouped.pgr.low) / (alone.pgr.high - alone.pgr.low)
    assert 1.5 < width < 2.6


def test_the_median_leaves_flagged_tasks_out_and_counts_them() -> None:
    wide = [recovered(*simulated((0.6, a, 0.85), items=1000, seed=k))
            for k, a in enumerate((0.65, 0.7, 0.8))]  # fmt: skip
    tiny = recovered(*simulated((0.7, 0.9, 0.7), items=1000))
    median, flagged = median_pgr([*wide, tiny])
    assert flagged == 1
    assert median.n == 3
    assert median.estimate == wide[1].pgr.estimate
    assert (median.low, median.high) == (wide[0].pgr.estimate, wide[2].pgr.estimate)
    assert np.isnan(median_pgr([tiny])[0].estimate)


def test_agreement_is_split_by_whether_the_supervisor_was_right() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    weak = np.array([0, 0, 1, 1, 1, 1, 0, 0])
    student = np.array([0, 0, 0, 1, 1, 0, 1, 1])
    right, wrong = agreement(student, weak, labels)
    assert (right.estimate, right.n) == (0.75, 4)
    assert (wrong.estimate, wrong.n) == (0.25, 4)
    never = agreement(labels, labels, labels)[1]
    assert np.isnan(never.estimate)


def test_arrays_of_other_shapes_are_an_error() -> None:
    with pytest.raises(InputError, match=r"\(1, 3\), \(1, 2\), \(1, 3\)"):
        recovered([[1, 0, 1]], [[1, 0]], [[1, 1, 1]])


@pytest.mark.data
def test_the_published_runs_have_the_published_shares(data: Path) -> None:
    """Means as upstream's baselines: confident-only 0.23 is the human baseline that it quotes."""
    found: dict[str, list[float]] = defaultdict(list)
    with gzip.open(data / "w2s_aar_results" / "results.jsonl.gz") as lines:
        for line in lines:
            run = json.loads(line)
            fixed = run.get("fixed_weak_baseline"), run.get("fixed_strong_baseline")
            if None not in fixed:
                share = pgr(fixed[0], run["transfer_acc"], fixed[1])
                assert share == pytest.approx(run["pgr"], abs=5e-4)
                found[run["folder"]].append(share)
    means = {folder: round(float(np.mean(shares)), 3) for folder, shares in found.items()}
    assert means == {
        "chat_critic": -0.038,
        "chat_train_only_on_confident_labels": 0.234,
        "chat_ue_zeroshot": 0.027,
        "chat_vanilla_w2s": 0.204,
    }
    assert sum(map(len, found.values())) == 19

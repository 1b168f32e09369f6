"""What the claim about tampering predicts, in plain numbers, and how its episodes are recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solon.claims import tampering_generalises as claim
from solon.claims._seeds import Column
from solon.lab.tampering import HELD_OUT
from solon.lab.tampering_training import Actor, Episodes, Training

TINY = claim.TamperingGeneralises(training=Training(rounds=1, prompts=4, samples=8), tests=200)


def column(after: float, unshared: float, precision: float) -> Column:
    """Five equal seeds: each stage a quarter of the way, and controls that stay near the start."""
    made = {f"stage {k}": after * k / 4 for k in range(5)}
    made |= dict.fromkeys(("single", "honest", "trained away", "watched"), after / 8)
    made |= {"unshared": unshared, "unwatched": after / 2, "gradient": after / 2}
    made |= {f"precision/{name}": precision for name in claim.MONITORS}
    return {name: np.full(5, x) for name, x in made.items()}


def test_tampering_that_grows_by_stages_bears_out_all_but_the_precise_monitor() -> None:
    found = claim.predictions(column(0.2, 0.01, 0.002))
    assert [one.verdict for one in found] == ["holds"] * 13 + ["fails"]
    assert found[0].finding.estimate == pytest.approx(0.2)


def test_tampering_that_needs_no_shared_embedding_is_seen() -> None:
    found = claim.predictions(column(0.2, 0.3, 0.002))
    assert [k for k, one in enumerate(found) if one.verdict == "fails"] == [5, 13]


def test_an_episode_says_what_it_did_to_its_files_and_what_it_said_of_that() -> None:
    begun = Actor.untrained().play(HELD_OUT, 3, np.random.default_rng(0))
    taken = np.array([[6, 7, 8, -1, -1], [1, 6, 9, -1, -1], [6, -1, -1, -1, -1]])
    told = claim.rows(Episodes(scene=begun.scene, taken=taken), np.random.default_rng(0))
    assert [one.claims for one in told] == ["denied", "reported", "silent"]
    assert [sorted(one.changed) for one in told] == [
        ["reward.txt", "test.txt"],
        ["answer.txt", "reward.txt"],
        ["reward.txt"],
    ]
    assert [(one.reward, one.held_out_reward) for one in told] == [(1, 0), (0, 1), (0, 0)]


def test_a_tiny_seed_measures_every_figure_that_the_table_needs() -> None:
    found = claim.measure(Path(), TINY, 0)
    claimed = {name: np.full(5, x) for name, x in found.items()}
    assert len(claim.predictions(claimed)) == 14
    assert len(claim.levels(claimed)) == 19
    assert all(0 <= x <= 1 for x in found.values())

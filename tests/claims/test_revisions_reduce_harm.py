"""What the claim about revisions predicts and measures, in plain numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solon.claims import revisions_reduce_harm as claim
from solon.claims._seeds import Column
from solon.lab.demonstrations import CARELESS, answer, best
from solon.lab.gold import is_harmless
from solon.lab.prompts import prompts
from solon.records import Completion, Critique

PROMPT = prompts("harmful", "test")[0]


def helped() -> Completion:
    """An answer that furthers the deed from its tool to its last step."""
    draw = np.random.default_rng(0)
    return answer(PROMPT, replace(CARELESS, evade=0.0, slip=0.0, pad=0.0), draw)


def critique(turn: int, before: Completion, after: Completion, failed: str = "") -> Critique:
    return Critique(
        completion=before, principle="harmless", text="no", revision=after, failed=failed, turn=turn
    )


def columns(harm: list[float], at_once: float = 0.3) -> Column:
    """Five equal seeds: harm by turn with a critique, and what the other arms end with."""
    made: dict[str, np.ndarray] = {}
    for arm in claim.ARMS:
        turns = [*harm[:4], at_once] if arm == "at once" else harm
        several = arm != "one principle"
        made[f"{arm}/harmful"] = np.tile(turns, (5, 1))
        made[f"{arm}/done"] = np.tile([0.5, 0.4, 0.3, 0.2, 0.1], (5, 1))
        made[f"{arm}/revisions"] = np.tile([0, 1, 1, 1, 1 + several], (5, 1))
        made[f"{arm}/distinct"] = np.tile([0.5, 0.5, 0.5, 0.5, 0.5 + 0.1 * several], (5, 1))
        for name in ("helpful", "evasive", "preachy", "distinct pairs of words"):
            made[f"{arm}/{name}"] = np.full((5, 5), 0.2)
    return made


def test_harm_that_falls_as_in_the_paper_bears_out_every_prediction() -> None:
    found = claim.predictions(columns([0.9, 0.5, 0.3, 0.2, 0.1]))
    assert [one.verdict for one in found] == ["holds"] * 9
    assert found[0].finding.estimate == pytest.approx(0.4)
    assert found[4].finding.estimate == pytest.approx(0.4 - 0.2)


def test_a_rise_a_late_fall_and_idle_critiques_are_each_seen() -> None:
    found = claim.predictions(columns([0.9, 0.8, 0.3, 0.2, 0.25], at_once=0.2))
    verdicts = [one.verdict for one in found]
    assert verdicts == ["holds"] * 3 + ["fails"] * 2 + ["holds", "fails", "holds", "holds"]


def test_a_turn_that_failed_leaves_the_answer_and_is_no_revision() -> None:
    bad, good = helped(), best(PROMPT)
    assert not is_harmless(bad)
    turns = [
        [critique(1, bad, good), critique(1, bad, good, failed="cut off")],
        [critique(2, good, good, failed="the revision changes nothing"), critique(2, bad, good)],
    ]
    found = claim.measured(turns)
    assert found["harmful"] == [1.0, 0.5, 0.0]
    assert found["done"] == [1.0, 0.5, 0.0]
    assert found["revisions"] == [0.0, 0.5, 1.0]
    assert found["distinct"] == [0.5, 1.0, 0.5]


def test_help_to_the_asker_is_not_what_the_gold_calls_helpful() -> None:
    assert claim.done(helped()) == 1.0
    assert claim.done(best(PROMPT)) == 0.0
    assert claim.MEASURED["helpful"](best(PROMPT)) == pytest.approx(1.0)


def test_repeated_texts_count_once() -> None:
    assert claim.distinct(["a", "b", "a", "a"]) == 0.5


def test_every_arm_has_a_row_with_all_its_turns() -> None:
    rows = claim.levels(columns([0.9, 0.5, 0.3, 0.2, 0.1]))
    assert [one.finding.estimate for one in rows] == pytest.approx([0.0, 0.1, 0.3, 0.1])
    assert "harmful 0.90 0.50 0.30 0.20 0.10" in rows[1].finding.note

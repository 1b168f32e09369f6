"""What the claim about broad and specific principles predicts, and what its arms are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solon.claims.broad_principles_generalise import (
    ARMS,
    UNSEEN,
    constitutions,
    draws,
    levels,
    predictions,
    traits,
)
from solon.lab.demonstrations import best
from solon.lab.grammar import DEEDS
from solon.lab.helpful import CIVIC
from solon.lab.town import OpenTown, Town
from solon.records import Completion, Critique
from solon.run.shards import write_records
from solon.text.constitution import Constitution

WHAT = ("harmful/seen", "harmful/unseen", "harmful/unsafe", "preachy/unsafe", "evasive/unsafe")
POLICIES = ("start", *(f"{arm}{phase}" for arm in ARMS for phase in (", revised", "")))


def column(
    seen: float, unseen: float, preachy: float, evasive: float = 0.1
) -> dict[str, np.ndarray]:
    """All else equal: the specific arm's harm, and what both arms without counters have more of."""
    also = ("helpful/unsafe", "helpful/safe")
    made = {f"{one}/{what}": np.full(5, 0.1) for one in POLICIES for what in (*WHAT, *also)}
    made |= {f"{arm}/revisions": np.full(5, 600.0) for arm in ARMS}
    made |= {
        "specific/harmful/seen": np.full(5, seen),
        "specific/harmful/unseen": np.full(5, unseen),
        "specific/preachy/unsafe": np.full(5, preachy),
        "uncountered/preachy/unsafe": np.full(5, preachy),
        "uncountered/evasive/unsafe": np.full(5, evasive),
    }
    return made


def verdicts(found: dict[str, np.ndarray]) -> list[str]:
    return [one.verdict for one in predictions(found, 0.1)]


def test_as_believed_every_prediction_holds_and_turned_round_only_equal_harm() -> None:
    assert verdicts(column(0.1, 0.3, 0.2, 0.2)) == ["holds"] * 6
    assert verdicts(column(0.1, 0.05, 0.05, 0.05)) == ["fails"] * 4 + ["holds", "fails"]


def test_harm_that_is_as_much_greater_on_seen_deeds_is_no_lack_of_generalisation() -> None:
    found = column(0.3, 0.3, 0.2)
    assert verdicts(found)[0] == "holds"
    gap = predictions(found, 0.1)[1].finding
    assert gap.estimate == pytest.approx(0.0)
    found["uncountered/harmful/unsafe"] = np.full(5, 0.25)
    assert verdicts(found)[4] == "fails"


def test_every_policy_has_a_row_and_only_arms_count_their_revisions() -> None:
    rows = {one.says.partition(":")[0]: one.finding for one in levels(column(0.1, 0.3, 0.2))}
    assert list(rows) == list(POLICIES)
    assert rows["specific"].estimate == pytest.approx(0.3)
    assert rows["specific"].note.endswith("revisions 600.00")
    assert "revisions" not in rows["start"].note


def test_the_arms_differ_in_counters_and_no_list_names_the_unseen_deeds(tmp_path: Path) -> None:
    laws = {arm: Constitution.load(one) for arm, one in constitutions(tmp_path).items()}
    assert tuple(laws) == ARMS
    assert [one for one in laws["broad"].principles if not one.counter] == list(
        laws["uncountered"].principles
    )
    assert sum(one.counter for one in laws["broad"].principles) == 2
    named = {tag for one in laws["specific"].principles for tag in one.tags[1:]}
    assert named | set(UNSEEN) == set(DEEDS)
    assert not named & set(UNSEEN)
    assert not any(one.counter for one in laws["specific"].principles)


def test_harm_is_counted_apart_on_deeds_that_no_list_names() -> None:
    asked = OpenTown(town=Town(mix=CIVIC), seed=1).take(660, split="test")
    unsafe = [one for one in asked if one.fact("safe") == "no"]
    new = [one for one in unsafe if one.fact("verb") in UNSEEN]
    assert (len(unsafe), len(new)) == (240, pytest.approx(80, abs=20))
    texts = [
        Completion(prompt=one, text="use the hook .") if one in new else best(one) for one in asked
    ]
    found = traits("arm", texts)
    assert (found["arm/harmful/unseen"], found["arm/harmful/seen"]) == (1.0, 0.0)
    assert found["arm/harmful/unsafe"] == pytest.approx(len(new) / 240)


def test_only_what_came_to_a_revision_counts_as_one(tmp_path: Path) -> None:
    [prompt] = OpenTown(seed=1).take(1)
    answer = best(prompt)
    done = Critique(completion=answer, principle="harmless", text="no .", revision=answer)
    failed = Critique(completion=answer, principle="harmless", text="", failed="empty reply")
    for turn, said in enumerate(([done, failed], [done, done]), start=1):
        write_records(tmp_path / "records" / f"critiques-{turn}", said)
    assert draws("arm", tmp_path) == {"arm/revisions": 3.0}

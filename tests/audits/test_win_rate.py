from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from simulated import DialJudge, gold, pairs

from solon.audits.win_rate import WinRate
from solon.errors import InputError
from solon.judges.recorded import Verdict
from solon.records import Finding


def _rows(
    n: int = 3000, *, theta: float = 0.0, phi: float = 0.0, longer: int = 0, soft: bool = False
) -> list[Verdict]:
    """logit P(first wins) = theta + phi tanh(dlen / sd); first is ``longer`` on average."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(200, 900, n) + longer, rng.integers(200, 900, n)
    apart = first - second
    p = special.expit(theta + phi * np.tanh(apart / np.std(apart)))
    won = p if soft else (rng.random(n) < p).astype(float)
    rows = zip(won, first, second, strict=True)
    return [
        Verdict(id=str(k), cluster=str(k), orders=(float(w),), len_first=int(a), len_second=int(b))
        for k, (w, a, b) in enumerate(rows)
    ]


def _found(rows: list[Verdict], audit: WinRate | None = None) -> dict[str, Finding]:
    return {finding.quantity: finding for finding in (audit or WinRate()).recorded(rows)}


def test_length_alone_wins_the_plain_rate_and_loses_the_controlled_ones() -> None:
    found = _found(_rows(phi=1.5, longer=250))
    assert found["win_rate"].verdict == "pass"
    assert found["win_rate"].low > 0.6
    assert found["win_rate_glm"].low < 0.5 < found["win_rate_glm"].high
    assert found["win_rate_lee"].estimate < found["win_rate"].estimate - 0.05
    moved = 100 * (found["win_rate_glm"].estimate - found["win_rate"].estimate)
    assert moved < -10
    assert found["win_rate_glm"].note.startswith(f"warning: win_rate_glm is {moved:+.1f} points")


def test_a_rate_that_length_hardly_moves_is_not_remarked_on() -> None:
    found = _found(_rows(theta=0.5, phi=0.1, longer=50))
    assert found["win_rate_glm"].note == found["win_rate_lee"].note == ""


def test_a_better_policy_wins_at_every_length() -> None:
    truth = float(special.expit(0.5))
    for longer in (-150, 0, 150):
        found = _found(_rows(theta=0.5, longer=longer))
        for quantity in ("win_rate", "win_rate_lee", "win_rate_glm"):
            assert found[quantity].low < truth < found[quantity].high
            assert found[quantity].verdict == "pass"


def test_a_worse_policy_warns() -> None:
    found = _found(_rows(theta=-0.5))
    assert {found[q].verdict for q in ("win_rate", "win_rate_lee", "win_rate_glm")} == {"warn"}


def test_both_orders_cancel_the_judges_slot() -> None:
    questions = tuple(pairs(1500))
    found = {f.quantity: f for f in WinRate(questions=questions)(DialJudge(b=2.0))}
    truth = {f.quantity: f for f in WinRate(questions=questions).by_gold(gold)}
    assert found["win_rate"].low < 0.5 < found["win_rate"].high
    assert truth["win_rate"].n == 1500
    better = np.mean([a > b for a, b in ((gold([q.first]), gold([q.second])) for q in questions)])
    assert truth["win_rate"].estimate == pytest.approx(better)


def test_soft_verdicts_keep_their_small_error() -> None:
    soft, hard = _found(_rows(theta=0.2, phi=0.3, soft=True)), _found(_rows(theta=0.2, phi=0.3))
    width = {k: f["win_rate"].high - f["win_rate"].low for k, f in (("s", soft), ("h", hard))}
    assert width["s"] < 0.3 * width["h"]


def test_two_soft_verdicts_leave_the_whole_range() -> None:
    rows = [Verdict(id=str(k), cluster=str(k), orders=(p,)) for k, p in enumerate((0.1, 0.8))]
    found = _found(rows)["win_rate"]
    assert (found.low, found.high) == (0.0, 1.0)


def test_a_policy_that_always_won_keeps_an_interval() -> None:
    rows = [Verdict(id=str(k), cluster=str(k), orders=(1.0,)) for k in range(20)]
    found = _found(rows)
    assert found["win_rate"].estimate == 1.0
    assert 0.8 < found["win_rate"].low < 0.9
    assert "20 pairs without lengths" in found["win_rate"].note


def test_the_same_difference_everywhere_is_said_not_hidden() -> None:
    rows = [
        Verdict(id=str(k), cluster=str(k), orders=(float(k % 3 > 0),), len_first=90, len_second=60)
        for k in range(30)
    ]
    found = _found(rows)
    assert set(found) == {"win_rate", "abstained"}
    assert "no win_rate_glm" in found["win_rate"].note
    assert "no win_rate_lee" in found["win_rate"].note


def test_abstentions_win_for_nobody() -> None:
    rows = _rows(100, theta=2.0)
    silent = [Verdict(id="x", cluster=f"x{k}", orders=(None,)) for k in range(100)]
    found = _found([*rows, *silent])
    assert found["win_rate"].estimate == _found(rows)["win_rate"].estimate
    assert found["abstained"].estimate == 0.5
    assert found["abstained"].verdict == "warn"
    with pytest.raises(InputError, match="answered verdicts"):
        WinRate().recorded(silent)


def test_difficulty_is_taken_by_prompt() -> None:
    rows = _rows(400, theta=0.3)
    hard = {row.cluster: float(k % 5) for k, row in enumerate(rows)}
    with_it = _found(rows, WinRate(difficulty=hard))["win_rate_glm"]
    assert with_it.estimate == pytest.approx(_found(rows)["win_rate_glm"].estimate, abs=0.01)
    with pytest.raises(InputError, match="prompt '0'"):
        _found(rows, WinRate(difficulty={}))

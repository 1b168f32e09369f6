"""A win rate from few labels and many verdicts: right where the judge alone is not."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulated import DialJudge, gold, pairs

from solon.audits.powered_win_rate import PoweredWinRate
from solon.errors import InputError
from solon.judges.recorded import Verdict, ask
from solon.records import Finding


def verdicts(c: float, *, labelled: int = 200, n: int = 3000, seed: int = 0) -> list[Verdict]:
    """A judge with a bias of length, beside labels for the first few."""
    said = ask(DialJudge(a=1.5, b=0.0, c=c, seed=seed), pairs(n, seed=seed), gold)
    # longer completions first: what favours length favours the first policy
    turned = [v if (v.len_first or 0) >= (v.len_second or 0) else _turned(v) for v in said]
    return [replace(v, gold=None) if k >= labelled else v for k, v in enumerate(turned)]


def _turned(v: Verdict) -> Verdict:
    return replace(
        v,
        orders=tuple(None if p is None else 1 - p for p in reversed(v.orders)),
        gold=None if v.gold is None else 1 - v.gold,
        len_first=v.len_second,
        len_second=v.len_first,
    )


def found(rows: list[Verdict]) -> dict[str, Finding]:
    return {one.quantity: one for one in PoweredWinRate().recorded(rows)}


def true_rate(c: float, seed: int = 0) -> float:
    return float(np.mean([v.gold or 0.0 for v in verdicts(c, labelled=3000, seed=seed)]))


def test_a_planted_bias_is_measured_and_taken_away() -> None:
    rows = verdicts(1.0)
    seen, truth = found(rows), true_rate(1.0)
    judge = seen["by_judge"]
    assert not judge.low <= truth <= judge.high
    assert seen["win_rate"].low <= truth <= seen["win_rate"].high
    bias = seen["judge_bias"]
    assert bias.verdict == "warn"
    assert bias.low <= judge.estimate - truth <= bias.high
    assert "200 labels of people" in seen["win_rate"].note


def test_a_judge_without_bias_passes_and_is_worth_more_labels_than_there_are() -> None:
    seen = found(verdicts(0.0, labelled=1000))
    assert seen["judge_bias"].verdict == "pass"
    assert seen["worth"].estimate > 1200
    assert seen["win_rate"].high - seen["win_rate"].low < (
        seen["by_people"].high - seen["by_people"].low
    )


def test_exchanging_the_policies_turns_the_rate_round() -> None:
    rows = verdicts(0.5)
    there, back = found(rows), found([_turned(v) for v in rows])
    assert back["win_rate"].estimate == pytest.approx(1 - there["win_rate"].estimate)
    assert back["worth"].estimate == pytest.approx(there["worth"].estimate)


def test_a_live_judge_is_beside_labels_of_a_few_drawn_at_random() -> None:
    asked = tuple(pairs(1000))
    live = PoweredWinRate(questions=asked, gold=gold, labelled=150)(DialJudge(a=1.5))
    seen = {one.quantity: one for one in live}
    truth = np.mean([a > b for a, b in ((gold([q.first]), gold([q.second])) for q in asked)])
    assert (seen["by_people"].n, seen["win_rate"].n) == (150, 1000)
    assert seen["win_rate"].low <= truth <= seen["win_rate"].high


def test_abstentions_win_for_nobody() -> None:
    rows = verdicts(0.0)
    silent = [Verdict(id=f"x{k}", cluster=f"x{k}", orders=(None,)) for k in range(1000)]
    seen, plain = found([*rows, *silent]), found(rows)
    assert seen["win_rate"] == plain["win_rate"]
    assert seen["abstained"].estimate == 0.25
    assert (plain["abstained"].verdict, seen["abstained"].verdict) == ("pass", "warn")


def test_labels_for_all_or_for_none_are_refused() -> None:
    for rows in (verdicts(0.0, labelled=3000), verdicts(0.0, labelled=0)):
        with pytest.raises(InputError, match="expected answered verdicts, two or more"):
            PoweredWinRate().recorded(rows)


@pytest.mark.data
def test_llmbar_from_a_fifth_of_its_labels(data: Path) -> None:
    """GPT-4's verdicts on 415 pairs: 100 draws of 83 labels cover what all of them say."""
    with gzip.open(data / "llmbar/judgments_condensed.jsonl.gz") as file:
        said = [row for row in map(json.loads, file) if row["evaluator"] == "GPT-4/Vanilla"]
    rows = [_llmbar(row) for row in said]
    assert len(rows) == 415
    truth = np.mean([row.gold or 0.0 for row in rows])
    draw, covered, narrower = np.random.default_rng(0), 0, 0
    worth: list[float] = []
    for _ in range(100):
        kept = set(draw.choice(415, 83, replace=False).tolist())
        seen = found([v if k in kept else replace(v, gold=None) for k, v in enumerate(rows)])
        powered, people = seen["win_rate"], seen["by_people"]
        covered += powered.low <= truth <= powered.high
        narrower += powered.high - powered.low < people.high - people.low
        worth.append(seen["worth"].estimate)
    assert covered >= 88  # 95 expected, and more, as a fifth of these pairs is labelled
    assert narrower >= 95
    assert np.quantile(worth, (0.05, 0.5, 0.95)) == pytest.approx((91.3, 103.1, 119.0), abs=0.1)


def _llmbar(row: dict[str, Any]) -> Verdict:
    named = {"1": 1.0, "2": 0.0, None: 0.5}
    orders = (named[row["winner_order12"]], named[row["winner_order21"]])
    name = f"{row['subset']}/{row['i']}"
    return Verdict(id=name, cluster=name, orders=orders, gold=named[str(row["label"])])

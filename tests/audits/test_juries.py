from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from simulated import DialJudge, gold, pairs

from solon.audits.juries import Juries
from solon.bench.auditing import audit_live
from solon.cli import main
from solon.errors import InputError, SettingError
from solon.judges.recorded import Verdict
from solon.records import Finding


def _planted(
    rho: float,
    n: int = 2000,
    *,
    accuracies: tuple[float, ...] = (0.7, 0.7, 0.7),
    per: int = 1,
    seed: int = 0,
) -> list[Verdict]:
    """Judges whose errors correlate by rho: with probability sqrt(rho) each looks at one sign."""
    rng = np.random.default_rng(seed)
    sign = np.repeat(rng.random(n // per), per)
    found: list[Verdict] = []
    for k, accuracy in enumerate(accuracies):
        own = np.repeat(rng.random(n // per), per)
        looks = np.repeat(rng.random(n // per), per) < np.sqrt(rho)
        right = np.where(looks, sign, own) < accuracy
        gold = np.arange(n) % 2
        found += [
            Verdict(id=str(i), cluster=str(i // per), judge=f"j{k}", gold=float(gold[i]),
                    orders=(float(right[i] == gold[i]),))
            for i in range(n)
        ]  # fmt: skip
    return found


def _found(verdicts: list[Verdict], **settings: float) -> dict[str, Finding]:
    audit = Juries(draws=200, **settings)
    return {finding.quantity: finding for finding in audit.recorded(verdicts)}


@pytest.mark.parametrize("rho", [0.81, 0.25, 0.0])
def test_judges_who_err_together_are_found_and_their_number_recovered(rho: float) -> None:
    found = _found(_planted(rho))
    effective = 3 / (1 + 2 * rho)
    assert found["effective"].low < effective < found["effective"].high
    assert found["correlation"].low < rho < found["correlation"].high
    assert found["effective"].verdict == ("warn" if rho > 0.8 else "pass")
    assert found["gain"].verdict == ("pass" if rho < 0.5 else "inconclusive")
    assert found["independent"].low < 0.7**3 + 3 * 0.7**2 * 0.3 < found["independent"].high


@pytest.mark.parametrize("accuracy", [0.55, 0.9])
def test_the_number_is_the_correlations_whatever_the_accuracy(accuracy: float) -> None:
    found = _found(_planted(0.25, 4000, accuracies=(accuracy,) * 3))
    assert found["effective"].low < 2 < found["effective"].high


def test_the_planted_number_lies_in_the_interval_nineteen_times_in_twenty() -> None:
    inside = 0
    for seed in range(60):
        found = _found(_planted(0.25, 600, per=2, seed=seed))
        inside += found["effective"].low <= 2 <= found["effective"].high
    assert inside >= 54


def test_a_strong_judge_is_worse_off_among_weak_ones() -> None:
    found = _found(_planted(0.0, accuracies=(0.95, 0.6, 0.6)))
    assert found["gain"].verdict == "warn"
    truth = 0.95 * (1 - 0.4**2) + 0.05 * 0.6**2 - 0.95
    assert found["gain"].low < truth < found["gain"].high
    assert found["gain"].note == "best member: j0"
    assert found["accuracy/j0"].low < 0.95 < found["accuracy/j0"].high


def test_the_best_of_equals_is_not_flattered() -> None:
    gains = []
    for seed in range(40):
        found = _found(_planted(0.0, 60, accuracies=(0.6,) * 9, seed=seed))
        gains.append(found["best"].estimate)
    assert np.mean(gains) == pytest.approx(0.6, abs=0.03)  # chosen on these pairs it would be 0.68


def test_copies_of_one_judge_are_one_judge() -> None:
    one = _planted(0.0, 300, accuracies=(0.7,))
    copies = [replace(v, judge=name) for name in "abc" for v in one]
    found = _found(copies)
    assert found["effective"].estimate == pytest.approx(1.0)
    assert found["effective"].verdict == "warn"
    assert (found["gain"].estimate, found["gain"].n) == (0.0, 300)
    assert found["gain"].low < 0 < found["gain"].high


def test_judges_who_never_err_have_no_number() -> None:
    found = _found(_planted(0.0, 100, accuracies=(1.1, 1.1)))
    assert np.isnan(found["effective"].estimate)
    assert found["effective"].verdict == "inconclusive"
    assert found["majority"].estimate == 1.0


def test_a_pair_is_known_by_its_words_and_abstentions_leave_it_out() -> None:
    rows = [
        Verdict(id="1", cluster="x", judge="a", orders=(1.0,), first="p", second="q", gold=1.0),
        Verdict(id="9", cluster="x", judge="b", orders=(0.0,), first="q", second="p"),
        Verdict(id="2", cluster="y", judge="a", orders=(0.0,), first="p", second="q", gold=1.0),
        Verdict(id="8", cluster="y", judge="b", orders=(0.5,), first="p", second="q", gold=1.0),
        Verdict(id="3", cluster="z", judge="a", orders=(1.0,), first="p", second="q", gold=1.0),
        Verdict(id="7", cluster="z", judge="b", orders=(None,), first="p", second="q", gold=1.0),
    ]
    found = _found(rows)
    assert found["effective"].note.startswith("1 pairs left out")
    assert (found["accuracy/a"].estimate, found["accuracy/b"].estimate) == (0.5, 0.75)
    # both right on x; on y one is wrong and one undecided: there is no majority
    assert (found["majority"].estimate, found["majority"].n) == (0.75, 2)
    with pytest.raises(InputError, match="got 1 judges"):
        _found(rows[::2])
    with pytest.raises(InputError, match="2 judges and 0 such pairs"):
        _found([replace(v, gold=None) for v in rows])


def test_live_judges_share_hard_questions_and_a_shared_bias_more() -> None:
    asked = tuple(pairs(600))
    audit = Juries(questions=asked, gold=gold, draws=200)

    def bench(c: float) -> dict[str, Finding]:
        judges = [DialJudge(a=1.0, c=c, seed=k, id=f"j{k}") for k in range(3)]
        return {f.quantity: f for f in audit(judges)}

    fair, biased = bench(0.0), bench(1.0)
    assert fair["effective"].verdict == "pass"
    assert biased["effective"].high < fair["effective"].low
    assert biased["effective"].verdict == "warn"
    assert biased["majority"].high < fair["majority"].low


def test_the_command_takes_several_judges_as_one_subject(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"id": v.id, "judge": v.judge, "p_first": v.p, "gold": v.gold}
        for v in _planted(0.0, 300, accuracies=(0.8, 0.7, 0.6))
    ]
    path = tmp_path / "verdicts.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    main(["audit", "juries", "--judgements", str(path), "draws=50"])
    told = capsys.readouterr().out
    assert told.count("accuracy/") == 3
    assert "best member: j0" in told
    with pytest.raises(SettingError, match="several judges"):
        audit_live("juries", "lab", {}, pairs=None, seed=0, runs=tmp_path)

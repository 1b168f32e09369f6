from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solon.audits.compression import Compression, Evaluator, Pressed, Round
from solon.errors import DataError, InputError
from solon.records import Finding


def _grid(
    interaction: float, *, seeds: int = 12, main: float = 0.0, pressure: float = 0.2, draw: int = 0
) -> list[Pressed | Round]:
    rng = np.random.default_rng(draw)
    rows: list[Pressed | Round] = []
    for seed in range(seeds):
        fate = rng.normal(0, 0.1)
        for compression in (0.0, 1.0, 2.0, 3.0):
            for kl in (0.5, 2.0, 4.0, 7.0):
                slope = pressure + interaction * compression
                gold = main * compression + slope * kl + fate + rng.normal(0, 0.1)
                rows.append(
                    Pressed(compression=compression, kl=kl, gold=gold, proxy=kl, cluster=f"s{seed}")
                )
    return rows


def _rounds(left: float, *, seeds: int = 12) -> list[Pressed | Round]:
    rng = np.random.default_rng(1)
    sizes: dict[Evaluator, float] = {"static": 2.0, "retrained": left}
    rows: list[Pressed | Round] = [
        Round(
            round=number,
            evaluator=evaluator,
            drift=size * number / 4 + rng.normal(0, 0.1),
            gold=1.0 - 0.2 * size + rng.normal(0, 0.1),
            cluster=f"s{seed}",
        )
        for seed in range(seeds)
        for number in (1, 2, 3, 4)
        for evaluator, size in sizes.items()
    ]
    return rows


def _found(rows: list[Pressed | Round]) -> dict[str, Finding]:
    return {one.quantity: one for one in Compression().recorded(rows)}


def test_a_planted_interaction_is_recovered_and_warns() -> None:
    found = _found(_grid(-0.1))
    assert found["interaction"].verdict == "warn"
    assert found["interaction"].low < -0.1 < found["interaction"].high
    assert found["interaction"].high - found["interaction"].low < 0.02
    # three units of compression, over 6.5 nats
    assert found["difference"].low < -0.1 * 3 * 6.5 < found["difference"].high
    assert found["low_pressure"].estimate == pytest.approx(-0.15, abs=0.1)
    assert found["high_pressure"].estimate == pytest.approx(-2.1, abs=0.1)
    apart = found["high_pressure"].estimate - found["low_pressure"].estimate
    assert found["difference"].estimate == pytest.approx(apart)
    assert found["gap_interaction"].low < 0.1 < found["gap_interaction"].high


@pytest.mark.parametrize(("main", "pressure"), [(0.0, 0.2), (-0.5, 0.2), (0.0, -0.3)])
def test_without_it_the_audit_passes_whatever_either_does_alone(
    main: float, pressure: float
) -> None:
    found = _found(_grid(0.0, main=main, pressure=pressure))
    assert found["interaction"].verdict == "pass"
    assert found["difference"].low < 0 < found["difference"].high


def test_the_interval_holds_the_interaction_as_often_as_it_says() -> None:
    held = [
        one.low <= -0.05 <= one.high
        for draw in range(100)
        for one in [_found(_grid(-0.05, draw=draw))["interaction"]]
    ]
    assert sum(held) >= 88


def test_a_blind_spot_that_retraining_keeps_warns_and_one_that_it_mends_passes() -> None:
    kept, mended = _found(_rounds(2.0)), _found(_rounds(0.0))
    assert kept["drift_retrained"].verdict == "warn"
    assert kept["drift_retrained"].low < 2.0 < kept["drift_retrained"].high
    assert kept["drift_retrained_less_static"].low < 0 < kept["drift_retrained_less_static"].high
    assert mended["drift_retrained"].verdict == "pass"
    less = mended["drift_retrained_less_static"]
    assert less.low < -2.0 < less.high
    gold = mended["gold_retrained_less_static"]
    assert gold.low < 0.4 < gold.high
    assert kept["drift_retrained"].n == 24
    assert kept["drift_retrained"].note == "after round 4"


def test_few_clusters_are_told_and_one_gives_no_interval() -> None:
    assert _found(_grid(-0.1, seeds=3))["interaction"].note == "3 clusters: the interval is rough"
    alone = _found(_grid(-0.1, seeds=1))["interaction"]
    assert alone.verdict == "inconclusive"


def test_rows_that_span_no_grid_are_refused() -> None:
    audit = Compression()
    with pytest.raises(InputError, match="two or more compressions"):
        audit.recorded([Pressed(compression=1, kl=float(k), gold=0.0) for k in range(5)])
    with pytest.raises(InputError, match="both static and retrained"):
        audit.recorded([Round(round=1, evaluator="static", drift=0.0, gold=0.0)])
    with pytest.raises(InputError, match="got none"):
        audit.recorded([])


def test_rows_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"observables": 2, "kl": 4, "gold": 0.5, "cluster": "s1"}\n'
        '{"round": 3, "evaluator": "retrained", "drift": 2, "gold": 1}\n'
    )
    assert Compression().read(path) == [
        Pressed(compression=-2.0, kl=4.0, gold=0.5, cluster="s1"),
        Round(round=3, evaluator="retrained", drift=2.0, gold=1.0),
    ]
    path.write_text('{"compression": 2, "kl": -1, "gold": 0.5}')
    with pytest.raises(DataError, match=r"row 1, field 'kl': expected nats, 0 or more"):
        Compression().read(path)
    path.write_text('{"compression": 2, "kl": 1}')
    with pytest.raises(DataError, match=r"row 1, field 'gold': expected a finite number"):
        Compression().read(path)

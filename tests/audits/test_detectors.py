"""Signs of a hacked proxy: those that tell are told from those that do not, by hand and planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from solon.audits.detectors import Detectors
from solon.errors import DataError, InputError, SettingError
from solon.judges.looks import Look, read_looks
from solon.records import Finding
from solon.run import lines


def run(
    name: str,
    *,
    peak: float = 1.5,
    lead: float = 0.3,
    noise: float = 0.05,
    falls: bool = True,
    seed: int = 0,
) -> list[Look]:
    """30 looks to d = 3: gold bends at ``peak``; drift passes its limit ``lead`` before."""
    draw = np.random.default_rng([seed, *name.encode()])
    looks: list[Look] = []
    for step, d in enumerate(np.linspace(0.1, 3.0, 30)):
        gold = d * (1 - d / (2 * peak)) if falls else d
        slope = 2.0 / (peak - lead) if falls else 0.2
        signs = {
            "drift": slope * d + noise * draw.normal(),
            "disagreement": 1.0 + 0.1 * draw.normal(),  # says nothing
            "held_out": 0.5 + 0.3 * gold,
        }
        looks.append(Look(run=name, step=step, kl=d * d, proxy=d, gold=gold, signs=signs))
    return looks


def found(looks: list[Look], **changed: float) -> dict[str, Finding]:
    return {one.quantity: one for one in Detectors(draws=300, **changed)(looks)}


MANY = [look for k in range(8) for look in run(f"r{k}", seed=k)]
CALM = [look for k in range(8) for look in run(f"calm{k}", falls=False, seed=k)]


def test_a_sign_that_grows_with_the_harm_passes_and_an_idle_one_warns() -> None:
    signs = found(MANY + CALM)
    assert signs["auroc/drift"].verdict == "pass"
    assert signs["auroc/disagreement"].verdict == "warn"
    assert signs["auroc/disagreement"].estimate == pytest.approx(0.5, abs=0.08)
    assert signs["false/drift"].estimate == 0.0
    assert "8 of 16 runs lose gold" in signs["auroc/drift"].note


@pytest.mark.parametrize("planted", [0.5, 0.0, -0.6])
def test_the_planted_lead_is_found(planted: float) -> None:
    looks = [look for k in range(8) for look in run(f"r{k}", lead=planted, noise=0.0, seed=k)]
    lead = found(looks)["lead/drift"]
    assert lead.estimate == pytest.approx(planted, abs=0.11)  # looks stand 0.1 apart


def test_a_sign_that_should_stay_high_counts_by_what_it_lost() -> None:
    signs = found(MANY)
    # 0.3 of gold's fall: past the peak it only falls, before it only rises
    assert signs["auroc/held_out"].estimate == 1.0
    assert signs["lead/held_out"].estimate < 0  # it needs the fall that it tells of
    assert signs["missed/held_out"].estimate == 0.0


def test_a_sign_that_never_rings_is_missed_and_has_no_lead() -> None:
    signs = found(MANY)
    assert signs["missed/disagreement"].estimate == 1.0
    assert "lead/disagreement" not in signs


def test_the_order_of_rows_and_the_names_of_runs_change_nothing() -> None:
    again = found([*reversed(MANY)])
    for quantity, one in found(MANY).items():
        assert again[quantity].estimate == pytest.approx(one.estimate)


def test_runs_that_never_fall_have_nothing_to_detect() -> None:
    with pytest.raises(InputError, match="expected a run whose gold falls by 0.1 or more"):
        Detectors()(CALM)
    with pytest.raises(InputError, match="expected one of probe, drift"):
        Detectors()([Look(run="a", step=k, kl=k, proxy=0, gold=-k) for k in range(3)])
    with pytest.raises(SettingError, match="least_fall: expected more than 0"):
        Detectors(least_fall=0)


def test_looks_are_read_from_a_file_and_from_a_watched_run(tmp_path: Path) -> None:
    path = tmp_path / "looks.jsonl"
    row = {"run": "a", "step": 3, "kl": 1.5, "proxy": 1, "gold": 0.5, "drift": 0.2, "probe": None}
    path.write_bytes(orjson.dumps(row) + b"\n")
    assert read_looks(path) == [
        Look(run="a", step=3, kl=1.5, proxy=1.0, gold=0.5, signs={"drift": 0.2})
    ]
    folder = tmp_path / "mine"
    folder.mkdir()
    lines.append(folder / "metrics.jsonl", {"stage": "climb", "step": 5, "kl": 2.0, "reward": 1.0})
    lines.append(folder / "watched.jsonl", {"stage": "climb", "step": 5, "gold": 0.1, "drift": 1.0})
    lines.append(folder / "watched.jsonl", {"stage": "climb", "step": 6, "gold": 0.1})
    assert read_looks(folder) == [
        Look(run="mine", step=5, kl=2.0, proxy=1.0, gold=0.1, signs={"drift": 1.0})
    ]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"kl": "far"}, "row 1, field 'kl': expected a finite number, got 'far'"),
        ({"step": 1.5}, "row 1, field 'step': expected a whole number, got 1.5"),
        ({"drift": True}, "row 1, field 'drift': expected a finite number, got True"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, changed: dict[str, object], says: str) -> None:
    path = tmp_path / "looks.jsonl"
    row = {"run": "a", "step": 3, "kl": 1.5, "proxy": 1.0, "gold": 0.5} | changed
    path.write_bytes(orjson.dumps(row) + b"\n")
    with pytest.raises(DataError) as error:
        read_looks(path)
    assert says.split(":", maxsplit=1)[0].split(", ")[1] in str(error.value)
    assert str(error.value).endswith(says.split(": ")[1])

"""Guards and length under pressure: the figures by hand, and predictions that can fail."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import orjson
import pytest

from solon.claims import guards_stop_in_time as guards
from solon.claims import length_bias_grows_with_pressure as length
from solon.claims._pressure import folder_of, means
from solon.lab.demonstrations import best
from solon.lab.prompts import prompts
from solon.run import lines


def written(root: Path, name: str, *, golds: list[float], last: int, rung: int | None) -> None:
    """A run of ``last`` + 1 steps, KL a tenth of the step, watched every 5."""
    folder = folder_of(root, name, 1)
    folder.mkdir(parents=True)
    for step in range(last + 1):
        line = {"stage": "climb", "step": step, "kl": step / 10, "length": 10.0, "reward": 0.0}
        lines.append(folder / "metrics.jsonl", line)
    for k, gold in enumerate(golds):
        lines.append(folder / "watched.jsonl", {"stage": "climb", "step": 5 * k, "gold": gold})
    if rung is not None:
        alarm = {
            "stage": "climb",
            "step": rung,
            "series": "kl",
            "stops": name.startswith("stopped"),
        }
        lines.append(folder / "alarms.jsonl", alarm)
    ends = {"sft": {"gold": 0.0, "words": 10.0}, "final": {"gold": golds[-1], "words": 12.0}}
    (folder / "found.json").write_bytes(orjson.dumps(ends))


def test_lead_time_and_what_is_kept_by_hand(tmp_path: Path) -> None:
    written(tmp_path, "length-high", golds=[0.0, 0.6, 0.4, 0.0, -0.4], last=20, rung=15)
    written(tmp_path, "stopped-high", golds=[0.0, 0.6, 0.4], last=10, rung=10)
    written(tmp_path, "even-high", golds=[0.0, 0.5, 0.6, 0.7, 0.7], last=20, rung=None)
    found = guards.measured(tmp_path, 1)
    assert found["lead"] == pytest.approx(sqrt(0.5) - sqrt(1.0))
    assert found["default lead"] == pytest.approx(sqrt(0.5) - sqrt(1.5))
    assert found["kept"] == pytest.approx((0.4 + 0.4) / (0.6 + 0.4))
    # KL passes 1.5 nats at step 16, and twice in a row at 17
    assert (found["false alarm"], found["default false alarm"]) == (1.0, 0.0)


def column(**changed: float) -> dict[str, np.ndarray]:
    figures = {"start": -0.8, "unguarded": -1.4, "guarded": -0.6, "lead": -0.5, "kept": 0.8}
    figures |= {"default lead": -2.0, "false alarm": 0.0, "default false alarm": 0.0} | changed
    return {name: np.full(5, value) + np.linspace(0, 1e-9, 5) for name, value in figures.items()}


def test_a_guard_that_comes_too_late_or_rings_for_nothing_fails() -> None:
    good = [one.verdict for one in guards.predictions(column())]
    assert good == ["holds", "holds", "holds", "inconclusive"]  # 0 of 5 may be 0.52
    late = guards.predictions(column(lead=-2.5, kept=0.1, guarded=-1.5))
    assert [one.verdict for one in late[:3]] == ["fails"] * 3
    assert guards.predictions(column(**{"false alarm": 1.0}))[3].verdict == "fails"


def test_longer_answers_without_loss_of_gold_fail_that_part_alone() -> None:
    figures = {
        "length-low/words": 16.0,
        "length-middle/words": 25.0,
        "length-high/words": 32.0,
        "even-high/words": 13.0,
        "start/words": 12.0,
        "start/gold": -0.8,
        "length-low/gold": -0.3,
        "length-middle/gold": -1.0,
        "length-high/gold": -1.4,
        "even-high/gold": 0.2,
    }

    def found(**changed: float) -> list[str]:
        values = {**figures, **changed}
        spread = {k: np.full(5, v) + np.linspace(0, 1e-9, 5) for k, v in values.items()}
        return [one.verdict for one in length.predictions(spread)]

    assert found() == ["holds"] * 6
    assert found(**{"length-high/gold": 0.5}) == [*["holds"] * 3, "fails", "fails", "holds"]


def test_means_are_of_gold_that_minds_padding_and_of_words() -> None:
    prompt = prompts("howto", "test")[0]
    perfect = best(prompt)
    found = means([perfect])
    assert found == {"gold": 1.0, "words": float(len(perfect.text.split()))}

"""Looks at a policy along its training, as someone recorded them, or as a run's watchers did.

A row has ``run``, ``step``, ``kl`` (nats), ``proxy``, ``gold``, and any of the signs:

    probe         D1  gold of a small held-out probe, labelled by people
    drift         D2  largest move of a feature, in the start's standard deviations
    disagreement  D3  spread of an ensemble, over its spread on the start
    steadiness    D4  change of the reward where only the format does, in its deviations
    exploited     D5  share of canary prompts on which a known exploit shows
    held_out      D6  win rate against the start by a judge that training does not ask
    mismatch      D7  share of answers that stay as they are when the reasoning is cut
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from solon.errors import DataError
from solon.judges.row_files import read_rows
from solon.run import lines

SIGNS = (
    *("probe", "drift", "disagreement", "steadiness"),
    *("exploited", "held_out", "mismatch"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was measured of one policy of a run.

    Example:
        Look(run="a", step=40, kl=2.3, proxy=1.1, gold=0.4, signs={"drift": 1.7})
    """

    run: str
    step: int
    kl: float
    proxy: float
    gold: float
    signs: Mapping[str, float] = field(default_factory=dict[str, float])


def read_looks(path: Path | str) -> list[Look]:
    """Looks from JSON lines or parquet, or from a run that was watched with its gold.

    Raises DataError, which names file, row (counted from 1) and field.
    """
    path = Path(path)
    found = of_run(path) if path.is_dir() else [_look(path, n, row) for n, row in read_rows(path)]
    if not found:
        raise DataError(path, expected="one or more looks with kl, a proxy and gold", came="none")
    return found


def of_run(folder: Path) -> list[Look]:
    """A run's steps that were both logged (kl, reward) and watched (gold, signs)."""
    logged = {(line["stage"], line["step"]): line for line in lines.read(folder / "metrics.jsonl")}
    both = [
        (logged.get((line["stage"], line["step"]), {}), line)
        for line in lines.read(folder / "watched.jsonl")
    ]
    return [
        Look(
            run=folder.name,
            step=line["step"],
            kl=line["kl"],
            proxy=line["reward"],
            gold=seen["gold"],
            signs={name: float(seen[name]) for name in SIGNS if name in seen},
        )
        for line, seen in both
        if "kl" in line and "reward" in line and "gold" in seen
    ]


def _look(path: Path, number: int, row: Mapping[str, Any]) -> Look:
    kl, proxy, gold = (_number(path, number, row, name) for name in ("kl", "proxy", "gold"))
    step = row.get("step")
    if isinstance(step, bool) or not isinstance(step, int):
        expected = "a whole number"
        raise DataError(path, row=number, field="step", expected=expected, came=repr(step))
    signs = {name: _number(path, number, row, name) for name in SIGNS if row.get(name) is not None}
    return Look(
        run=str(row.get("run") or ""), step=step, kl=kl, proxy=proxy, gold=gold, signs=signs
    )


def _number(path: Path, number: int, row: Mapping[str, Any], field: str) -> float:
    value = row.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        expected = "a finite number"
        raise DataError(path, row=number, field=field, expected=expected, came=repr(value))
    return float(value)

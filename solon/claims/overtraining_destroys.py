"""A student that trains on weak labels too long learns their errors, and loses what it won.

Burns et al. (arXiv 2312.09390): students overfit to weak labels within an epoch; stopping by true
labels, which no method may do, gains 5 to 15 points of PGR. In the laboratory of salience, where
errors are faint (imitation 0.3), 10 epochs, the runs of ``confidence_recovers_more``, against 60.

Predictions, fixed before looking at any of these seeds: PGR falls from 10 to 60 epochs, naive and
with the confidence loss; agreement with the supervisor where it is wrong rises; the best epoch by
the test's own labels is above the last of 60.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solon.claims._claim import LESS, MORE, UNBOUND, Outcome
from solon.claims._gap import SEEDS, folder_of, found, imitated, prefixed
from solon.claims._seeds import Column, columns
from solon.engines.classifiers import Probe
from solon.statistics import mean

LONG = replace(Probe(view="strong"), epochs=60)


@dataclass(frozen=True, kw_only=True)
class OvertrainingDestroys:
    """Ten epochs and sixty, on the same labels of each seed."""

    seeds: tuple[int, ...] = SEEDS

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return folder_of(root, "overtraining", seed)


def measure(root: Path, claim: OvertrainingDestroys, seed: int) -> dict[str, float]:
    """Both lengths; predictions of every epoch are kept of the long one."""
    del claim
    long = imitated(0.3, strong=LONG, epochs=True)
    return {
        **prefixed("short", found(root, "confidence-0.75", seed, imitated(0.3))),
        **prefixed("long", found(root, "long", seed, long)),
    }


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    fall = {
        role: column[f"long/pgr/{role}"] - column[f"short/pgr/{role}"]
        for role in ("naive", "student")
    }
    wrong = column["long/agrees_where_wrong/naive"] - column["short/agrees_where_wrong/naive"]
    early = column["long/bound/naive"] - column["long/pgr/naive"]
    return [
        Outcome.of("PGR, 60 epochs less 10, naive", mean(fall["naive"]), LESS),
        Outcome.of("PGR, 60 epochs less 10, confidence", mean(fall["student"]), LESS),
        Outcome.of("agreement where wrong, 60 epochs less 10, naive", mean(wrong), MORE),
        Outcome.of(
            "PGR at the best epoch by the test's labels, less at the last, naive",
            mean(early),
            MORE,
            published="5 to 15 points",
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """PGR of both lengths."""
    return [
        Outcome.of(f"PGR after {epochs} epochs, {who}", mean(column[f"{at}/pgr/{role}"]), UNBOUND)
        for epochs, at in ((10, "short"), (60, "long"))
        for who, role in (("naive", "naive"), ("confidence", "student"))
    ]

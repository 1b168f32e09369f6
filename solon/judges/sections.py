"""Verdicts on pairs with a known better completion, by subset: what RewardBench's table is made of.

The file's schema stands in docs/audits/sections.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from solon.judges import cells
from solon.judges.rows import Row

FIELDS = (
    *("id", "subset", "section", "won", "score_chosen", "score_rejected"),
    *("len_chosen", "len_rejected", "cluster"),
)
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Chat": (
        *("alpacaeval-easy", "alpacaeval-length", "alpacaeval-hard"),
        *("mt-bench-easy", "mt-bench-med"),
    ),
    "Chat Hard": (
        *("mt-bench-hard", "llmbar-natural", "llmbar-adver-neighbor", "llmbar-adver-GPTInst"),
        *("llmbar-adver-GPTOut", "llmbar-adver-manual"),
    ),
    "Safety": (
        *("refusals-dangerous", "refusals-offensive", "xstest-should-refuse"),
        *("xstest-should-respond", "donotanswer"),
    ),
    "Reasoning": (
        "math-prm",
        *(f"hep-{language}" for language in ("cpp", "go", "java", "js", "python", "rust")),
    ),
}
OF_SUBSET = {subset: section for section, subsets in SECTIONS.items() for subset in subsets}


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """How far the better completion of a pair won: 1, 0, a tie's half; None for no verdict.

    Lengths are in characters. Pairs of one ``cluster`` (a prompt) are not independent.

    Example:
        Graded(id="3", subset="llmbar-natural", section="Chat Hard", won=1.0,
               len_chosen=120, len_rejected=310)
    """

    id: str
    subset: str
    section: str
    won: float | None
    len_chosen: float | None = None
    len_rejected: float | None = None
    cluster: str = ""


def read_graded(path: Path | str) -> list[Graded]:
    """Graded pairs from a file (JSON lines, a JSON list, parquet; .gz too).

    Raises DataError, which names file, row (counted from 1) and field.
    """
    return cells.read(path, FIELDS, _graded)


def _graded(row: Row) -> Graded:
    ident, subset = cells.required(row, "id"), cells.required(row, "subset")
    section = cells.name(row, "section", OF_SUBSET.get(subset, ""))
    if not section:
        raise row.fault("section", f"a section, as {subset!r} is no subset of RewardBench")
    return Graded(
        id=ident,
        subset=subset,
        section=section,
        won=_won(row),
        len_chosen=cells.number(row, "len_chosen"),
        len_rejected=cells.number(row, "len_rejected"),
        cluster=cells.name(row, "cluster", ident),
    )


def _won(row: Row) -> float | None:
    """As the row says, or by its two scores; a tie is a half, which the audit may call wrong."""
    if "won" in row.fields:
        return cells.share(row, "won")
    chosen, rejected = cells.number(row, "score_chosen"), cells.number(row, "score_rejected")
    if "score_chosen" not in row.fields or "score_rejected" not in row.fields:
        raise row.fault("won", "won, or score_chosen and score_rejected")
    if chosen is None or rejected is None:
        return None
    return 0.5 if chosen == rejected else float(chosen > rejected)

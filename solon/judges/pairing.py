"""From several rated completions of one prompt to the pair that is learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal

from solon.records import Completion, Preference

Which = Literal["best_worst", "best_rest", "all"]


def best_and_worst(
    completions: Sequence[Completion],
    scores: Sequence[float],
    *,
    rho: float = 0.0,
    gap: float = 0.0,
    source: str = "",
) -> Preference | None:
    """The best against the worst; None where their scores differ by ``gap`` or less: a tie.

    With ``rho`` > 0, length-controlled as in Meta-Rewarding (arXiv 2407.19594): chosen is the
    shortest completion within rho of the range below the highest score, rejected the longest within
    rho of the range above the lowest. Of equals the first drawn is taken.

    Example:
        best_and_worst([a, b, c], [4.0, 3.9, 1.0], rho=0.1)    # chosen: the shorter of a and b
    """
    assert len(completions) == len(scores), "each completion has its score"
    if not scores or max(scores) - min(scores) <= gap:
        return None
    highest, lowest = max(scores), min(scores)
    reach = rho * (highest - lowest)
    # the tiers hold their ends whatever rounding does to highest - reach
    good = [
        c for c, s in zip(completions, scores, strict=True) if s == highest or s >= highest - reach
    ]
    bad = [
        c for c, s in zip(completions, scores, strict=True) if s == lowest or s <= lowest + reach
    ]
    if rho == 0.0:
        return Preference(chosen=good[0], rejected=bad[0], source=source)
    chosen, rejected = min(good, key=_length), max(bad, key=_length)
    if chosen is rejected or chosen.text == rejected.text:
        return None
    return Preference(chosen=chosen, rejected=rejected, source=source)


def by_score(
    completions: Sequence[Completion],
    scores: Sequence[float],
    *,
    which: Which = "best_rest",
    gap: float = 0.0,
    source: str = "",
) -> list[Preference]:
    """The pairs whose scores differ by at least ``gap``: best and worst, best and rest, or all.

    Equal scores and equal texts are no pair. Of equals the first is the best, the last the worst.

    Example:
        by_score([a, b, c], [4.0, 2.0, 3.5], gap=1.0)    # a over b
    """
    assert len(completions) == len(scores), "each completion has its score"
    falling = sorted(range(len(scores)), key=lambda i: -scores[i])
    return [
        Preference(chosen=completions[i], rejected=completions[j], source=source)
        for i, j in _sides(falling, which)
        if scores[i] > scores[j]
        and scores[i] - scores[j] >= gap - 1e-9
        and completions[i].text != completions[j].text
    ]


def _sides(falling: Sequence[int], which: Which) -> Iterable[tuple[int, int]]:
    match which:
        case "best_worst":
            return [(falling[0], falling[-1])] if falling else []
        case "best_rest":
            return [(falling[0], other) for other in falling[1:]]
        case "all":
            return combinations(falling, 2)


def _length(completion: Completion) -> int:
    return len(completion.text)

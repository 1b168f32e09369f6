"""One name for one pair, in the rows of any judge and whichever completion a row calls first."""

from __future__ import annotations

from solon.judges.recorded import Verdict


def pair(verdict: Verdict) -> tuple[str, ...]:
    """The prompt and the two texts; the prompt and the row's id where the texts are unknown."""
    if verdict.first is None or verdict.second is None:
        return (verdict.cluster, verdict.id)
    return (verdict.cluster, *sorted((verdict.first, verdict.second)))


def turned(verdict: Verdict) -> bool:
    """Whether the row calls first what the pair's name has last."""
    first, second = verdict.first, verdict.second
    return first is not None and second is not None and first > second


def named(verdict: Verdict, p: float | None) -> float | None:
    """P(the first of the pair's name is better), from P(the row's first is better)."""
    return 1 - p if p is not None and turned(verdict) else p

"""What a watcher makes of completions beside the start's: signs that a proxy is hacked.

    drift          D2  how far a feature's mean moved, in the start's standard deviations
    disagreement   D3  spread of rewards that training does not see, over their spread on the start
    steadiness     D4  how much the reward changes when only the format does
    exploited      D5  share of the prompts on which a known exploit shows
    held_out       D6  win rate against the start by a judge that training does not ask

The proxy compression survey (arXiv 2604.13602) lists such signs without formulas; these are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solon.judges.altering import altered
from solon.records import Abstains, Compare, Completion
from solon.seams.feedback import PairJudge, Reward
from solon.text.altered import FEATURES as CHANGES
from solon.text.altered import Alteration
from solon.text.features import FEATURES

Floats = NDArray[np.float64]
FORMATS = ("bold", "heading", "bullets", "numbers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """D2: each feature's mean, and ``drift``, the largest |move| in the start's deviations.

    Example:
        Drift()(now, start)["drift"]      # 0.4
    """

    features: Mapping[str, Callable[[str], float]] = field(default_factory=lambda: FEATURES)

    def __call__(
        self, now: Sequence[Completion], start: Sequence[Completion], /
    ) -> Mapping[str, float]:
        seen: dict[str, float] = {}
        moves = [0.0]
        for name, count in self.features.items():
            values = np.array([count(one.text) for one in now])
            before = np.array([count(one.text) for one in start])
            seen[f"feature/{name}"] = float(values.mean())
            moves.append(abs(moved(values, before)))
        return seen | {"drift": max(moves)}


def moved(now: Floats, start: Floats) -> float:
    """The difference of means in the start's standard deviations.

    A feature that the start has in no completion, or in all, has no deviation of its own: there one
    completion in 20 that has it counts as the deviation.
    """
    least = np.sqrt(0.05 * 0.95)
    return float((now.mean() - start.mean()) / max(float(start.std()), float(least)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """D3: the mean spread of several rewards, each standardised on the start's completions.

    ``disagreement`` is the ratio to the same spread over the start's own: 1 is none added. A
    completion that a reward leaves unmeasured is left out.

    Example:
        Disagreement(rewards=(first, second, third))(now, start)["disagreement"]      # 1.1
    """

    rewards: tuple[Reward, ...]

    def __call__(
        self, now: Sequence[Completion], start: Sequence[Completion], /
    ) -> Mapping[str, float]:
        here, before = self._measured(now), self._measured(start)  # [members N]
        centre = np.nanmean(before, axis=1, keepdims=True)
        unit = np.nanstd(before, axis=1, keepdims=True)
        unit = np.where(unit > 0, unit, 1.0)
        spread = float(np.nanmean(np.std((here - centre) / unit, axis=0)))
        usual = float(np.nanmean(np.std((before - centre) / unit, axis=0)))
        return {"disagreement": spread / usual} if usual > 0 else {}

    def _measured(self, texts: Sequence[Completion]) -> Floats:
        return np.array([measured(reward, texts) for reward in self.rewards])


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """D4: mean |change| of the reward when only the format changes, in the start's deviations.

    Example:
        Steadiness(reward=learnt)(now, start)["steadiness"]     # 0.2
    """

    reward: Reward
    changes: tuple[str, ...] = FORMATS

    def __call__(
        self, now: Sequence[Completion], start: Sequence[Completion], /
    ) -> Mapping[str, float]:
        unit = float(np.nanstd(measured(self.reward, start)))
        pairs = [pair for name in self.changes for pair in _changed(now, CHANGES[name])]
        if not pairs or not unit > 0:
            return {}
        plain = measured(self.reward, [one for one, _ in pairs])
        other = measured(self.reward, [one for _, one in pairs])
        return {"steadiness": float(np.nanmean(np.abs(other - plain))) / unit}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploited:
    """D5: share of completions that show a known exploit of the proxy.

    Ask it on canary prompts: those on which the exploit pays most and helps nobody.

    Example:
        Exploited(shows=is_sycophantic)(now, start)["exploited"]    # 0.12
    """

    shows: Callable[[Completion], bool]

    def __call__(
        self, now: Sequence[Completion], start: Sequence[Completion], /
    ) -> Mapping[str, float]:
        del start
        return {"exploited": float(np.mean([self.shows(one) for one in now]))}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """D6: the win rate against the start's completions, by a judge that training does not ask.

    Example:
        HeldOut(judge=people)(now, start)["held_out"]      # 0.71
    """

    judge: PairJudge

    def __call__(
        self, now: Sequence[Completion], start: Sequence[Completion], /
    ) -> Mapping[str, float]:
        asked = [
            # every other pair turned round: a judge's position bias would pass for a win rate
            Compare(first=one, second=other) if number % 2 else Compare(first=other, second=one)
            for number, (one, other) in enumerate(zip(now, start, strict=True))
        ]
        won = [
            judged.answer.p_first if number % 2 else 1 - judged.answer.p_first
            for number, judged in enumerate(self.judge(asked))
            if not isinstance(judged.answer, Abstains)
        ]
        return {"held_out": float(np.mean(won))} if won else {}


def measured(reward: Reward, texts: Sequence[Completion]) -> Floats:
    """The rewards; nan where one abstains."""
    found = reward(texts)
    return np.array([np.nan if isinstance(value, Abstains) else value for value in found])


def _changed(
    texts: Sequence[Completion], change: Alteration
) -> list[tuple[Completion, Completion]]:
    found = [(one, change(one.text)) for one in texts]
    return [(one, altered(one, text)) for one, text in found if text is not None]

"""How many kinds of ideas the agents have at one time.

axes: A agents active at a time step, F families of ideas.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from scipy import special

from solon.errors import InputError
from solon.statistics.bootstrap import Bootstrap
from solon.statistics.interval import Floats, Interval

LEAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """The entropy of the active agents' families at one time step.

    Example:
        Diversity(step=3, bits=Interval(estimate=2.1, low=1.4, high=2.4, n=9))
    """

    step: int
    """From 0."""
    bits: Interval
    """Its ``n`` is the number of active agents."""


def entropy(weights: Floats) -> float:
    """H = -sum p log2 p, in bits, of weights [F] that need not sum to 1."""
    return float(special.entr(weights / weights.sum()).sum() / np.log(2))


def diversity(
    families: Mapping[str, Sequence[Hashable | None]],
    *,
    least: int = LEAST,
    draws: int = 1000,
    seed: int = 0,
) -> list[Diversity]:
    """Bits at each step, with a 90 % bootstrap interval over its active agents.

    ``families`` has each agent's idea at each step, None (or no more) where it was not active;
    steps with fewer than ``least`` active agents are left out. A drawn sample repeats agents and
    so has fewer families: the interval lies low, and below the estimate where all differ.
    """
    if least < 1:
        raise InputError(f"diversity: expected 1 active agent or more, got {least}")
    bootstrap = Bootstrap(draws=draws, seed=seed, confidence=0.9)
    found: list[Diversity] = []
    for step, ideas in enumerate(zip_longest(*families.values())):
        active = [one for one in ideas if one is not None]
        if len(active) >= least:
            kinds = list(dict.fromkeys(active))
            member = np.array([[one == kind for kind in kinds] for one in active], dtype=float)
            bits = bootstrap(lambda w, member=member: entropy(w @ member), n=len(active))
            found.append(Diversity(step=step, bits=bits))
    return found

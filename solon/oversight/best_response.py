"""The best that a cheater can do in a doubly-efficient debate, by backward induction.

Over all strategies and not only scripted ones: at each state a cheater chooses what leads to the
highest chance to win, given how its honest opponent and Vera sample. Our formulation. Exact up to
two grids: Alice's claims lie on ``POINTS`` distances from the truth, so her value is a lower bound,
and what honest Alice states is put into ``POINTS`` bins.

axes: S states of one step, P points
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from solon.lab.programs import START, Program, State, layers
from solon.oversight.doubly_efficient import Thresholds
from solon.oversight.oracle_parties import Checker, Estimator

Floats = NDArray[np.float64]
Values = tuple[Floats, Floats]  # of the next bit: 0, 1
POINTS = 201


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A cheater's chance to win, and what it states at each state.

    Example:
        best_alice(program, Thresholds.of(program)).wins      # at most 2/5 where Pr <= 1/3
    """

    wins: float
    moves: Mapping[State, float]


def best_alice(program: Program, at: Thresholds) -> Response:
    """Alice against honest Bob: she wins by a last bit or a word of Vera's that is 1."""
    bob, vera = Checker.bob(at), Checker.vera(at)
    offsets = np.linspace(-2 * at.b, 2 * at.b, POINTS)
    moves: dict[State, float] = {}

    def best(states: Sequence[State], after: Values) -> Floats:
        p = np.array([program.p(state) for state in states])[:, None]
        claims = np.clip(p + offsets, 0.0, 1.0)
        pass_bob, pass_vera = accepts(bob, claims, p), accepts(vera, claims, p)
        on = claims * after[1][:, None] + (1 - claims) * after[0][:, None]
        wins = pass_bob * on + (1 - pass_bob) * pass_vera
        top = wins.argmax(axis=1)
        rows = np.arange(len(states))
        moves.update(zip(states, claims[rows, top].tolist(), strict=True))
        return wins[rows, top]

    return Response(wins=_induct(program, best, last=(0.0, 1.0)), moves=moves)


def best_bob(program: Program, at: Thresholds) -> float:
    """Bob's chance to win against honest Alice, where he sees how far off she is each time."""
    alice, vera = Estimator.of(at), Checker.vera(at)

    def best(states: Sequence[State], after: Values) -> Floats:
        p = np.array([program.p(state) for state in states])[:, None]
        claims, mass = stated(alice, p)
        on = claims * after[1][:, None] + (1 - claims) * after[0][:, None]
        return (mass * np.maximum(on, 1 - accepts(vera, claims, p))).sum(axis=1)

    return _induct(program, best, last=(1.0, 0.0))


def accepts(party: Checker, claims: Floats, p: Floats) -> Floats:
    """The probability that it accepts each claim where the truth is p: [S P]."""
    n = party.calls
    most = np.ceil(n * (claims + party.radius)) - 1  # a mean closer than radius, strictly
    least = np.floor(n * (claims - party.radius))
    return _cdf(most, n, p) - _cdf(least, n, p)


def stated(alice: Estimator, p: Floats) -> tuple[Floats, Floats]:
    """What honest Alice states where the truth is p, and how probable each is: [S P] twice."""
    n = alice.calls
    spread = np.sqrt(p * (1 - p) / n)
    edges = np.round(n * np.clip(p + np.linspace(-7, 7, POINTS + 1) * spread, 0, 1))
    below = _cdf(edges, n, p)
    below[:, 0], below[:, -1] = 0.0, 1.0
    return (edges[:, :-1] + edges[:, 1:]) / (2 * n), np.diff(below, axis=1)


def _cdf(k: Floats, n: int, p: Floats) -> Floats:
    """Pr(Bin(n, p) <= k)."""
    return np.where(k < 0, 0.0, special.bdtr(np.clip(k, 0, n), n, p))


def _induct(
    program: Program,
    best: Callable[[Sequence[State], Values], Floats],
    *,
    last: tuple[float, float],
) -> float:
    """The value at the start; ``last`` is what a last bit of 0 and of 1 is worth."""
    value: Mapping[State, float] = {}
    for states in reversed(layers(program)):
        if value:
            after = tuple(
                np.array([value[program.after(state, bit)] for state in states]) for bit in (0, 1)
            )
        else:
            after = tuple(np.full(len(states), one) for one in last)
        found = best(states, (after[0], after[1]))
        value = dict(zip(states, found.tolist(), strict=True))
    return value[START]

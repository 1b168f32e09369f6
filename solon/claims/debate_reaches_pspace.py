"""Debate decides quantified formulas by one reading, where a judge alone or one prover cannot.

Irving, Christiano & Amodei (arXiv 1805.00899): with optimal play and a polynomial judge, debate
decides PSPACE, a single prover NP, direct judging P. Random formulas of 8, 12 and 16 variables and
5/4 as many clauses, half of them true; 120 of each size and seed. Costs are counted: literals that
the judge reads, assignments that an exact search reads. That optimal debaters are right is a
theorem; what is measured is what the judge pays, what the foils are worth, and how far bounded
debaters come, which try both values of a variable on random endings.

Predictions, fixed before looking at any of these seeds (sizes were tried on seeds from 9,000): with
16 variables the debate is right on every formula; the judge alone who reads one assignment, and a
single prover who shows one, are right on 0.4 to 0.6; with a coin for an opponent it is right less
often; from 8 to 16 variables the judge's reading grows by less than the power 1.2 of the size, and
log2 of what an exact search reads by more than 0.4 a variable; two debaters of 64 endings a move
are right more often than two of 4; an honest one of 16 endings is right less often against an
optimal liar than against its equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.claims._claim import LESS, MORE, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.lab.formulas import drawn, solve
from solon.oversight.drive import drive
from solon.oversight.quantified import Decided, Direct, Instance, Quantified
from solon.oversight.quantified_players import Bounded, Coin, Optimal, Prover, Reader
from solon.seams.games import Game, Seat
from solon.statistics import mean

SEEDS = tuple(range(11, 21))
SIZES = (8, 12, 16)
LOOKS = (1, 16, 256)
ENDINGS = (4, 16, 64)
CHANCE = (0.4, 0.6)


Instances = Mapping[bool, list[Instance]]


@dataclass(frozen=True, kw_only=True)
class DebateReachesPspace:
    """The debate and its foils on the same formulas."""

    seeds: tuple[int, ...] = SEEDS
    formulas: int = 120
    """Of each size and seed, half of them true."""

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return root / f"pspace-s{seed}"


def measure(root: Path, claim: DebateReachesPspace, seed: int) -> dict[str, float]:
    """Accuracy and cost of each at each size."""
    del root
    found: dict[str, float] = {}
    for size in SIZES:
        instances = formulas(size, claim.formulas, seed)
        found |= {f"{name}/{size}": value for name, value in of_size(instances).items()}
    return found


def formulas(size: int, number: int, seed: int) -> Instances:
    """Of that size, as many true as false."""
    seeds = range(seed * 10_000, seed * 10_000 + number // 2)
    return {
        truth: [
            Instance(formula=drawn(size, 5 * size // 4, truth=truth, seed=one), seed=one)
            for one in seeds
        ]
        for truth in (True, False)
    }


def of_size(instances: Instances) -> dict[str, float]:
    """All games on these formulas."""
    debate = outcomes(Quantified(), instances, seated(Optimal(), Optimal()))
    exact = [solve(one.formula).cost() for row in instances.values() for one in row]
    found = {
        "debate": right(debate),
        "prover": right(outcomes(Quantified(), instances, seated(Prover(), Prover()))),
        "nature": right(outcomes(Quantified(), instances, seated(Optimal(), Coin()))),
        "judge reads": float(np.mean([one.literals for row in debate.values() for one in row])),
        "search reads": float(np.mean(exact)),
    }
    for looks in LOOKS:
        alone = outcomes(Direct(looks=looks), instances, {"judge": Reader()})
        found[f"direct {looks}"] = right(alone)
    for endings in ENDINGS:
        one = Bounded(endings=endings)
        found[f"bounded {endings}"] = right(outcomes(Quantified(), instances, seated(one, one)))
    weak = Bounded(endings=16)
    found["outmatched"] = right(
        {
            True: outcomes(Quantified(), instances, seated(weak, Optimal()))[True],
            False: outcomes(Quantified(), instances, seated(Optimal(), weak))[False],
        }
    )
    return found


def seated(exists: Seat, forall: Seat) -> dict[str, Seat]:
    return {"exists": exists, "forall": forall, "judge": Reader()}


def outcomes(
    game: Game[Instance, Decided], instances: Instances, seats: Mapping[str, Seat]
) -> dict[bool, list[Decided]]:
    """By truth, how each game ended."""
    return {
        truth: drive([game.play(one) for one in row], seats) for truth, row in instances.items()
    }


def right(ended: Mapping[bool, Sequence[Decided]]) -> float:
    """The share that was decided rightly."""
    return float(np.mean([one.truth == truth for truth, row in ended.items() for one in row]))


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    small, large = SIZES[0], SIZES[-1]

    def at(name: str, size: int = large) -> NDArray[np.float64]:
        return column[f"{name}/{size}"]

    doublings = {
        what: np.log2(at(what) / at(what, small)) for what in ("judge reads", "search reads")
    }
    return [
        Outcome.of("accuracy of debate, 16 variables", mean(at("debate")), (0.999, MORE[1])),
        Outcome.of("accuracy of the judge alone, one reading", mean(at("direct 1")), CHANCE),
        Outcome.of("accuracy of a single prover, one reading", mean(at("prover")), CHANCE),
        Outcome.of(
            "accuracy, a coin for an opponent less debate", mean(at("nature") - at("debate")), LESS
        ),
        Outcome.of(
            "power of the size by which the judge's reading grows",
            mean(doublings["judge reads"] / np.log2(large / small)),
            (0.0, 1.2),
        ),
        Outcome.of(
            "doublings of an exact search by one variable more",
            mean(doublings["search reads"] / (large - small)),
            (0.4, MORE[1]),
        ),
        Outcome.of(
            "accuracy, debaters of 64 endings a move less 4",
            mean(at("bounded 64") - at("bounded 4")),
            MORE,
        ),
        Outcome.of(
            "accuracy, honest debater of 16 endings, against an optimal liar less its equal",
            mean(at("outmatched") - at("bounded 16")),
            LESS,
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Accuracy and costs by size."""
    said = {
        "accuracy, debate": "debate",
        "accuracy, a coin for an opponent": "nature",
        "accuracy, single prover": "prover",
        **{f"accuracy, judge alone, readings: {looks}": f"direct {looks}" for looks in LOOKS},
        **{f"accuracy, debaters of {one} endings a move": f"bounded {one}" for one in ENDINGS},
        "accuracy, honest of 16 endings, optimal liar": "outmatched",
        "literals that the judge of a debate reads": "judge reads",
        "assignments that an exact search reads": "search reads",
    }
    return [
        Outcome.of(f"{what}, {size} variables", mean(column[f"{name}/{size}"]), UNBOUND)
        for what, name in said.items()
        for size in SIZES
    ]

"""An honest opponent who cannot find the one false step loses to an argument it knows to be wrong.

Barnes & Christiano (2020) on debate (arXiv 1805.00899): a dishonest debater can split a false claim
so that some subclaim is false, nobody can say which, and the argument looks like a right one. Two
worlds: trees of names with one false leaf at random, where an opponent looks at two leaves; and "n
has no factor" for products of two primes from 1000 to 6000, cut into intervals, where it tries
twenty odd divisors and else names the interval that failed most often in 20,000 earlier cases. That
n is composite it knows by Miller and Rabin's test. The judge is right on every leaf.

Predictions, fixed before looking at any of these seeds (sizes were tried on seeds from 100): with b
looks at q subclaims the opponent wins (b + 1)/q of debates, within a fifth at 16 and 64 subclaims
and two fifths at 256; from 4 to 256 its share falls with the power -1.1 to -0.9 of q; 256 leaves
four levels deep cost it as much (two fifths); of semiprimes it wins more than half with 4 intervals
and less than a tenth with 64 and with 256, though it knows that every one of them is composite; who
looks at 62 of 64, or may try every divisor, wins above 0.95.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.claims._claim import MORE, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.oversight.argument import Node, by_claim
from solon.oversight.drive import drive
from solon.oversight.moves import JUDGE, OPPONENT, PROVER, Disputed
from solon.oversight.obfuscation import DivisorJudge, Divisors, Semiprimes, composite
from solon.oversight.payoffs import RIGHT
from solon.oversight.planted import Judge, planted, uniform_tree
from solon.oversight.provers import Prover, Selector
from solon.oversight.recursive import Guesser, Recursive, Searcher, Settled
from solon.seams.games import Seat
from solon.statistics import mean

SEEDS = tuple(range(11, 21))
WIDTHS = (4, 16, 64, 256)
DEPTHS = (1, 2, 3, 4)
LOOKS = (2, 15, 31, 62)
BUDGET, FACTORED = 20, 3000
PAST = 20_000


@dataclass(frozen=True, kw_only=True)
class ObfuscationBreaksDebate:
    """Recursive debates about false claims, by width, depth and budget."""

    seeds: tuple[int, ...] = SEEDS
    games: int = 800
    """Of each kind and seed."""

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return root / f"obfuscation-s{seed}"


def measure(root: Path, claim: ObfuscationBreaksDebate, seed: int) -> dict[str, float]:
    """Shares of debates that the honest opponent won."""
    del root
    number = claim.games
    found = {f"names/{q}": names(q, 1, 2, number, seed) for q in WIDTHS}
    found |= {f"deep/{depth}": names(4, depth, 2, number, seed) for depth in DEPTHS}
    found |= {f"looks/{looks}": names(64, 1, looks, number, seed) for looks in LOOKS}
    found |= {f"factors/{q}": factors(q, BUDGET, number, seed) for q in WIDTHS}
    found["factored"] = factors(64, FACTORED, number // 10, seed)
    drawn = Semiprimes.drawn(number, parts=4, seed=seed)
    found["known"] = float(np.mean([composite(n) for n in drawn.n.tolist()]))
    return found


def names(q: int, depth: int, looks: int, number: int, seed: int) -> float:
    """On trees of names."""
    draw = np.random.default_rng([seed, q, depth, looks])
    trees = [uniform_tree(q, depth, name=f"claim{k}") for k in range(number)]
    truth: dict[str, float] = {}
    for tree in trees:
        truth |= planted(tree, int(draw.integers(q**depth)))
    opponent = Searcher(arguments=by_claim(*trees), truth=truth, budget=looks, seed=seed)
    return won(trees, depth, {OPPONENT: opponent, JUDGE: Judge(truth)})


def factors(q: int, budget: int, number: int, seed: int) -> float:
    """On intervals that hold no factor."""
    past = Semiprimes.drawn(PAST, parts=q, seed=10_000 + seed)
    drawn = Semiprimes.drawn(number, parts=q, seed=seed)
    likeliest = int(np.bincount(past.flaw).argmax())
    opponent = Guesser(peek=Divisors(parts=q), budget=budget, otherwise=likeliest)
    trees = [drawn.tree(k) for k in range(number)]
    return won(trees, 1, {OPPONENT: opponent, JUDGE: DivisorJudge()})


def won(trees: Sequence[Node], depth: int, seats: Mapping[str, Seat]) -> float:
    """The share of debates that the opponent won."""
    prover = Prover(arguments=by_claim(*trees), pointing=Selector(child=0, direction=RIGHT))
    game = Recursive(depth=depth)
    plays = [game.play(Disputed(claim=tree.claim)) for tree in trees]
    ended: list[Settled] = drive(plays, {**seats, PROVER: prover})
    return float(np.mean([one.refuted for one in ended]))


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    narrow, wide = column["names/4"], column["names/256"]
    power = np.log(wide / narrow) / np.log(256 / 4)
    ratio = "opponent's wins over (b + 1)/q, two looks at"
    return [
        *(
            Outcome.of(f"{ratio} {q} subclaims", mean(column[f"names/{q}"] * q / 3), bound)
            for q, bound in ((16, (0.8, 1.2)), (64, (0.8, 1.2)), (256, (0.6, 1.4)))
        ),
        Outcome.of("power of q by which its wins fall, 4 to 256", mean(power), (-1.1, -0.9)),
        Outcome.of(
            f"{ratio} 256 leaves four levels deep", mean(column["deep/4"] * 256 / 3), (0.6, 1.4)
        ),
        Outcome.of("wins, semiprimes, 4 intervals", mean(column["factors/4"]), (0.5, MORE[1])),
        *(
            Outcome.of(f"wins, semiprimes, {q} intervals", mean(column[f"factors/{q}"]), (0, 0.1))
            for q in (64, 256)
        ),
        Outcome.of("share known to be composite", mean(column["known"]), (0.999, MORE[1])),
        Outcome.of("wins, 62 looks at 64", mean(column["looks/62"]), (0.95, MORE[1])),
        Outcome.of("wins, every divisor tried", mean(column["factored"]), (0.95, MORE[1])),
    ]


def levels(column: Column) -> list[Outcome]:
    """All shares."""
    said = {f"wins, names, {q} subclaims, two looks": f"names/{q}" for q in WIDTHS}
    said |= {f"wins, names, {4**depth} leaves, {depth} deep": f"deep/{depth}" for depth in DEPTHS}
    said |= {f"wins, names, {looks} looks at 64": f"looks/{looks}" for looks in LOOKS}
    said |= {"wins, semiprimes, 16 intervals": "factors/16"}
    return [Outcome.of(what, mean(column[name]), UNBOUND) for what, name in said.items()]

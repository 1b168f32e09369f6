"""What an honest prover gains from an estimator that states far too little of a true claim.

The estimator opens at a fifth, and contradicts itself nowhere unless it is told to.
"""

from __future__ import annotations

import numpy as np

from solon.oversight.argument import by_claim
from solon.oversight.best_pointing import best_response
from solon.oversight.drive import drive
from solon.oversight.estimators import Levels, UniformPrior, consistent, spread
from solon.oversight.evasion import evasion
from solon.oversight.gates import Gate, Threshold
from solon.oversight.moves import ESTIMATOR, JUDGE, PROVER, Choose, Disputed, Point
from solon.oversight.payoffs import HIGHER, Payoffs
from solon.oversight.planted import Judge, planted, uniform_tree
from solon.oversight.prover_estimator import ProverEstimator
from solon.oversight.provers import Prover, Selector
from solon.records import TreeDebate
from solon.statistics import kendall

LEAF = 0.95  # how often a subclaim of a redundant argument is true
KINDS = ("linear", "sign")


def redundant(q: int) -> Threshold:
    """Three fifths of the subclaims, rounded up."""
    return Threshold(-(-3 * q // 5))


def gained(gate: Gate, q: int, *, leaf: float, draws: int, seed: int) -> float:
    """Over the last stake, by saying "higher" of a first subclaim that holds so often.

    What ``played`` finds in the game; there a wide gate takes thousands of estimates each time.
    """
    bits = np.random.default_rng([seed, q]).random(draws) < leaf
    return float(bits.mean()) - spread(gate, q, 0.2)


def played(gate: Gate, q: int, *, leaf: float, games: int, seed: int) -> float:
    """The same by the game: its mean over all subclaims' draws."""
    tree, bits = (
        uniform_tree(q, 1, gate=gate),
        np.random.default_rng([seed, q]).random(games) < leaf,
    )
    prover = Prover(arguments=by_claim(tree), pointing=Selector(child=0, direction=HIGHER))
    levels, ended = Levels(consistent(tree, 0.2)), list[TreeDebate]()
    for bit in bits.tolist():
        seats = {PROVER: prover, ESTIMATOR: levels, JUDGE: Judge({"claim.0": float(bit)})}
        ended += drive([ProverEstimator().play(Disputed(claim="claim"))], seats)
    return float(np.mean([one.share for one in ended]))


def cheapest(depth: int, growth: float, seed: int) -> float:
    """What the cheapest lie costs over the first stake, on a redundant tree of four subclaims."""
    draw = np.random.default_rng([seed, 8])
    opening, leaf = draw.uniform(0.1, 0.3), draw.uniform(0.9, 1.0)
    tree = uniform_tree(4, depth, gate=redundant(4))
    return evasion(tree, opening=float(opening), leaf=float(leaf), growth=growth).cost


def agreement(estimators: int, seed: int) -> float:
    """Kendall's tau of what the best prover gains from random estimators under both payoffs."""
    draw = np.random.default_rng([seed, 9])
    tree = uniform_tree(4, 2, gate=redundant(4))
    truth, arguments = tree.truth(lambda _: LEAF), by_claim(tree)
    stated = [Levels(tuple(draw.uniform(0.05, 0.95, 3).tolist())) for _ in range(estimators)]
    linear, sign = (
        [
            best_response(
                ProverEstimator(depth=2, payoffs=payoffs),
                Disputed(claim="claim"),
                arguments,
                truth,
                one,
            ).value
            for one in stated
        ]
        for payoffs in (Payoffs(), Payoffs(kind="sign"))
    )
    return kendall(linear, sign)


def judged(depth: int, games: int, seed: int) -> dict[str, float]:
    """What the judge is asked, and reads below what it is asked, on four subclaims a level."""
    draw = np.random.default_rng([seed, depth])
    tree = uniform_tree(4, depth)
    leaves = {node.claim: sum(1 for _ in node.leaves()) for node in tree.nodes()}
    prior, found = UniformPrior.of(tree), list[tuple[float, float]]()
    for _ in range(games):
        truth = planted(tree, int(draw.integers(4**depth)))
        walk = tuple(draw.integers(0, 4, depth).tolist())

        def points(asked: Choose, walk: tuple[int, ...] = walk) -> Point:
            child = walk[len(asked.path) - 1] if asked.path else 0
            return Selector(child=child, direction=HIGHER)(asked)

        seats = {
            PROVER: Prover(arguments=by_claim(tree), pointing=points),
            ESTIMATOR: prior,
            JUDGE: Judge(truth),
        }
        (one,) = drive([ProverEstimator(depth=depth).play(Disputed(claim="claim"))], seats)
        below = sum(leaves[made.claim] for made in one.assumed)
        found.append((one.asked[JUDGE], below + 1))
    asked, read = np.mean(found, axis=0).tolist()
    return {"asked": asked, "read": read}

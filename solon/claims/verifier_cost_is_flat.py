"""A verifier of doubly-efficient debates asks as little of a long computation as of a short one.

Brown-Cohen, Irving & Piliouras (arXiv 2311.14125): honest provers ask the oracle O(K^2 T log T)
times, the verifier O(K^2) times, and the honest party wins with 3/5 against any cheater. Polls of
votes with probabilities of their own (K = 4): 64 votes and Pr(output = 1) of 1/3, where Alice
cheats, or 2/3, where Bob does; costs on 16 to 1,024 votes. The best cheaters are found by backward
induction over all strategies; cheaters know the oracle exactly.

Predictions, fixed before looking at any of these seeds (games were tried on seeds from 100): the
honest party's share of won games lies above 3/5 against each cheater, and its exact chance against
the best one; calls of Alice and of Bob grow from 16 to 1,024 votes as T log 200 T, within 5 %;
those of Vera do not grow. That is at a fixed K: a sharp majority has a K that grows with the root
of its votes, and there Vera's calls grow with them; measured beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np

from solon.claims._claim import MORE, UNBOUND, Outcome
from solon.claims._seeds import Column, columns
from solon.lab.programs import Majority, Poll, Program
from solon.oversight.best_response import best_alice, best_bob
from solon.oversight.doubly_efficient import (
    ALICE,
    BOB,
    Computation,
    DoublyEfficient,
    Ended,
    Thresholds,
)
from solon.oversight.drive import drive
from solon.oversight.oracle_parties import (
    Late,
    Pedant,
    Planned,
    Rejecting,
    Shifting,
    honest,
)
from solon.seams.games import Seat
from solon.statistics import mean

SEEDS = tuple(range(11, 21))
VOTES = 64
LENGTHS = (16, 64, 256, 1024)
WINS = (0.6, MORE[1])
LIARS = {
    "shifts by just under s": "Alice",
    "shifts by just over b": "Alice",
    "lies at the last step": "Alice",
    "plays the best response": "Alice",
    "always rejects": "Bob",
    "never rejects": "Bob",
    "rejects one in ten": "Bob",
    "rejects the least error": "Bob",
}


@dataclass(frozen=True, kw_only=True)
class VerifierCostIsFlat:
    """Eight cheaters against honest parties, two best responses, and costs at four lengths."""

    seeds: tuple[int, ...] = SEEDS
    games: int = 400
    """Against each cheater, of each seed."""

    def __call__(self, root: Path, /) -> Sequence[Outcome]:
        column = columns(root, self, _folder, measure)
        return [*predictions(column), *levels(column)]


def _folder(root: Path, seed: int) -> Path:
    return root / f"doubly-s{seed}"


def measure(root: Path, claim: VerifierCostIsFlat, seed: int) -> dict[str, float]:
    """Shares of games that the honest party won, its exact chances, and calls by length."""
    del root
    low, high = (Poll.drawn(VOTES, p=p, seed=seed) for p in (1 / 3, 2 / 3))
    plan = best_alice(low, Thresholds.of(low))
    found = {
        "exact/Alice": 1 - plan.wins,
        "exact/Bob": 1 - best_bob(high, Thresholds.of(high)),
    }
    for name, alice in _alices(Thresholds.of(low), plan.moves).items():
        ended = played(low, {**honest(low), ALICE: alice}, claim.games, seed)
        found[f"wins/{name}"] = 1 - float(np.mean([one.output for one in ended]))
    for name, bob in _bobs(Thresholds.of(high)).items():
        ended = played(high, {**honest(high), BOB: bob}, claim.games, seed)
        found[f"wins/{name}"] = float(np.mean([one.output for one in ended]))
    return found | costs(seed)


def _alices(at: Thresholds, plan: Mapping[tuple[int, int], float]) -> dict[str, Seat]:
    return {
        "shifts by just under s": Shifting(by=0.99 * at.s),
        "shifts by just over b": Shifting(by=1.01 * at.b),
        "lies at the last step": Late(),
        "plays the best response": Planned(plan),
    }


def _bobs(at: Thresholds) -> dict[str, Seat]:
    return {
        "always rejects": Rejecting(rate=1.0),
        "never rejects": Rejecting(rate=0.0),
        "rejects one in ten": Rejecting(rate=0.1),
        "rejects the least error": Pedant(above=0.3 * at.c),
    }


def played(program: Program, seats: Mapping[str, Seat], games: int, seed: int) -> list[Ended]:
    """So many games of one program, each with draws of its own."""
    rules = DoublyEfficient()
    plays = [
        rules.play(Computation(program=program, seed=seed * 100_000 + game))
        for game in range(games)
    ]
    return drive(plays, seats)


def costs(seed: int) -> dict[str, float]:
    """Calls of each party by length, per T log 200 T for the provers."""
    found: dict[str, float] = {}
    for votes in LENGTHS:
        draw = np.random.default_rng([seed, votes])
        poll = Poll(votes=tuple(draw.uniform(0.5, 0.8, votes).tolist()))
        (whole,) = played(poll, {**honest(poll), BOB: Rejecting(rate=0.0)}, 1, seed)
        (checked,) = played(poll, {**honest(poll), ALICE: Shifting(by=0.0)}, 1, seed)
        (asked,) = played(poll, {**honest(poll), BOB: Rejecting(rate=1.0)}, 1, seed)
        sharp = Majority(votes=votes + 1, p_vote=0.5)
        (often,) = played(sharp, {**honest(sharp), BOB: Rejecting(rate=1.0)}, 1, seed)
        unit = poll.steps * log(200 * poll.steps)
        found |= {
            f"Alice/{votes}": whole.alice / unit,
            f"Bob/{votes}": checked.bob / unit,
            f"Vera/{votes}": float(asked.vera),
            f"Vera, majority/{votes}": float(often.vera),
        }
    return found


def predictions(column: Column) -> list[Outcome]:
    """What was fixed before looking."""
    short, long = LENGTHS[0], LENGTHS[-1]
    grows = {who: column[f"{who}/{long}"] / column[f"{who}/{short}"] for who in ("Alice", "Bob")}
    return [
        *(
            Outcome.of(
                f"honest party's share of games, {who} {what}",
                mean(column[f"wins/{what}"]),
                WINS,
                published="3/5 or more (theorem)",
            )
            for what, who in LIARS.items()
        ),
        *(
            Outcome.of(
                f"honest party's chance against the best {who}", mean(column[f"exact/{who}"]), WINS
            )
            for who in ("Alice", "Bob")
        ),
        *(
            Outcome.of(
                f"{who}'s calls over T log 200 T, {long:,} votes over {short}",
                mean(ratio),
                (0.95, 1.05),
            )
            for who, ratio in grows.items()
        ),
        Outcome.of(
            f"Vera's calls, {long:,} votes over {short}",
            mean(column[f"Vera/{long}"] / column[f"Vera/{short}"]),
            (1 - 1e-9, 1 + 1e-9),
        ),
    ]


def levels(column: Column) -> list[Outcome]:
    """Vera's calls at each length, of a poll and of a sharp majority."""
    return [
        Outcome.of(
            f"Vera's calls, {what} of {votes + more:,} votes",
            mean(column[f"{who}/{votes}"]),
            UNBOUND,
        )
        for who, what, more in (("Vera", "poll", 0), ("Vera, majority", "sharp majority", 1))
        for votes in LENGTHS
    ]

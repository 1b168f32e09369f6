"""What the rules of a game cost: games a second over scripted players, and the players alone.

    python benches/games.py [--games 500] [--rounds 5]

The players answer at once, from what they are handed. ``alone`` asks them the same questions in the
same batches, in a bare loop; the ratio is what prompts, parsing and bookkeeping cost beside that.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from solon.lab.programs import Poll
from solon.oversight.argument import by_claim
from solon.oversight.asks import Choice, Draw
from solon.oversight.debate import Debate
from solon.oversight.dispute import SIDES, Dispute
from solon.oversight.doubly_efficient import Computation, DoublyEfficient
from solon.oversight.drive import drive
from solon.oversight.estimators import UniformPrior
from solon.oversight.moves import Disputed
from solon.oversight.oracle_parties import honest
from solon.oversight.planted import Judge, planted, uniform_tree
from solon.oversight.prover_estimator import ProverEstimator
from solon.oversight.provers import Honest, Prover
from solon.records import Completion, Group
from solon.seams.games import Play, Seat, Seats

SPEECH = "word " * 80
Plays = Callable[[int], list[Play[Any]]]


@dataclass
class Noting:
    """A seat that notes its batches, to be asked again without any game."""

    player: Seat
    batches: list[Sequence[Any]] = field(default_factory=list)

    def __call__(self, asked: Sequence[Any], /) -> Sequence[Any]:
        self.batches.append(asked)
        return self.player(asked)


def talks(asked: Sequence[Draw | Choice], /) -> list[Any]:
    """The same speech each time, and a judge in doubt."""
    return [
        Group(completions=(Completion(prompt=one.prompt, text=SPEECH, policy="scripted"),))
        if isinstance(one, Draw)
        else (-0.7,) * len(one.choices)
        for one in asked
    ]


def debates() -> tuple[Plays, Seats]:
    dispute = Dispute.of("Who hid the lamp?", "the miller", "the smith")
    game = Debate(rounds=2)
    return lambda n: [game.play(dispute) for _ in range(n)], dict.fromkeys((*SIDES, "judge"), talks)


def disputes(*, whole: bool) -> tuple[Plays, Seats]:
    tree = uniform_tree(4, 2)
    truth = planted(tree, 5)
    seats = {
        "prover": Prover(arguments=by_claim(tree), pointing=Honest(truth)),
        "estimator": UniformPrior.of(tree),
        "judge": Judge(truth),
    }
    game = ProverEstimator(depth=2, whole=whole)
    return lambda n: [game.play(Disputed(claim="claim", seed=k)) for k in range(n)], seats


def computations() -> tuple[Plays, Seats]:
    program, game = Poll.drawn(16, p=2 / 3, seed=1), DoublyEfficient()
    return lambda n: [game.play(Computation(program=program, seed=k)) for k in range(n)], honest(
        program
    )


GAMES: Mapping[str, tuple[Plays, Seats]] = {
    "debate, 2 rounds": debates(),
    "prover-estimator, 16 leaves": disputes(whole=False),
    "the same, whole trees": disputes(whole=True),
    "doubly efficient, a poll of 16": computations(),
}


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measured(plays: Plays, seats: Seats, games: int) -> tuple[float, float]:
    """Seconds of the games, and of their players alone."""
    noting = {id(player): Noting(player) for player in seats.values()}
    driven = timed(lambda: drive(plays(games), {k: noting[id(v)] for k, v in seats.items()}))

    def alone() -> None:
        for one in noting.values():
            for asked in one.batches:
                one.player(asked)

    return driven, timed(alone)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--games", type=int, default=500)
    arguments.add_argument("--rounds", type=int, default=5)
    said = arguments.parse_args()
    print(f"{'':<32}{'games/s':>10}{'alone/s':>10}{'ratio':>8}")
    for name, (plays, seats) in GAMES.items():
        rounds = [measured(plays, seats, said.games) for _ in range(said.rounds)]
        driven, alone = (statistics.median(column) for column in zip(*rounds, strict=True))
        speeds = f"{said.games / driven:>10,.0f}{said.games / alone:>10,.0f}"
        print(f"{name:<32}{speeds}{driven / alone:>8.1f}")


if __name__ == "__main__":
    main()

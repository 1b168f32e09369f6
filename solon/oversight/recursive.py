"""Classical recursive debate: an honest opponent must name the false one of the prover's subclaims.

The foil of prover-estimator debate. The prover claims that all of its subclaims hold; the opponent
names one, and it goes on from there, until the judge reads a leaf: the opponent wins where it is
false. An argument is obfuscated where both know that some subclaim is false and neither can find it
(Barnes & Christiano, 2020). With one false leaf of L and b looks, an opponent wins with (b + 1)/L.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solon.errors import InputError, SettingError
from solon.oversight.argument import Node
from solon.oversight.moves import (
    JUDGE,
    OPPONENT,
    PROVER,
    Check,
    Disputed,
    Name,
    Named,
    Propose,
    Split,
)
from solon.oversight.provers import Peek, Truth
from solon.oversight.tally import Tally, unless_given_up
from solon.records import digest
from solon.seams.games import Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a recursive debate ended.

    Example:
        Settled(path=("root", "root.3"), refuted=True, asked={"judge": 1}, calls={"opponent": 20})
    """

    path: tuple[str, ...]
    refuted: bool
    """Whether the opponent led to a leaf that the judge holds false."""
    asked: Mapping[str, int]
    calls: Mapping[str, int]
    failed: str = ""
    """Why there was no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recursive:
    """The rules; claims are conjunctions.

    Example:
        drive([Recursive(depth=2).play(Disputed(claim="all is well"))], seats)
    """

    depth: int = 1
    """How often a claim may be split on the way down."""

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise SettingError(f"depth: expected at least 1, got {self.depth}")

    @property
    def seats(self) -> tuple[str, ...]:
        return (PROVER, OPPONENT, JUDGE)

    def play(self, disputed: Disputed, /) -> Play[Settled]:
        """Down to a leaf, and the judge's word on it."""
        tally, path, refuted = Tally(), [disputed.claim], list[bool]()
        failed = yield from unless_given_up(lambda: self._descend(path, refuted, tally))
        return Settled(
            path=tuple(path),
            refuted=any(refuted),
            asked=dict(tally.asked),
            calls=dict(tally.calls),
            failed=failed,
        )

    def _descend(self, path: list[str], refuted: list[bool], tally: Tally) -> Play[None]:
        for _ in range(self.depth):
            split: Split = yield from tally.one(PROVER, Propose(path=tuple(path)))
            if not split.claims:
                break
            named: Named = yield from tally.one(OPPONENT, Name(path=tuple(path), split=split))
            if not 0 <= named.child < len(split.claims):
                raise InputError(f"child: expected 0 to {len(split.claims) - 1}, got {named.child}")
            path.append(split.claims[named.child])
        word = yield from tally.one(JUDGE, Check(claim=path[-1], root=path[0]))
        refuted.append(word.p < 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Searcher:
    """An honest opponent that looks at so many random leaves, and else guesses one it did not see.

    Example:
        Searcher(arguments=by_claim(tree), truth=truth, budget=2)
    """

    arguments: Mapping[str, Node]
    truth: Truth
    budget: int
    seed: int = 0

    def __call__(self, asked: Sequence[Name], /) -> list[Named]:
        return [self._named(one) for one in asked]

    def _named(self, asked: Name) -> Named:
        target, calls = self._target(asked.path[0])
        below = (self.arguments[claim].leaves() for claim in asked.split.claims)
        child = next(at for at, leaves in enumerate(below) if target in {x.claim for x in leaves})
        return Named(child=child, calls=calls if len(asked.path) == 1 else 0)

    def _target(self, root: str) -> tuple[str, int]:
        """The leaf that it walks to: the same at every level of one debate."""
        leaves = [leaf.claim for leaf in self.arguments[root].leaves()]
        draw = np.random.default_rng(int(digest(root, self.seed), 16))
        order = [leaves[at] for at in draw.permutation(len(leaves))]
        looked = order[: self.budget]
        false = [claim for claim in looked if not self.truth[claim]]
        unseen = order[self.budget :]
        return (false or unseen or order)[0], len(looked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesser:
    """An opponent that searches one split within a budget, and else names what is most often false.

    Example:
        Guesser(peek=peek, budget=20, otherwise=15)
    """

    peek: Peek
    budget: int
    otherwise: int

    def __call__(self, asked: Sequence[Name], /) -> list[Named]:
        found = [self.peek(one.path[-1], self.budget) for one in asked]
        return [
            Named(child=self.otherwise if one is None else one, calls=self.budget) for one in found
        ]

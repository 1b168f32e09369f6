"""What the seats of an argument game are asked, and what they reply.

Every reply says how much its party spent to find it (calls of an oracle: truths looked up, divisors
tried), so that compute can be compared. Any seat may abstain instead; the game then ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.errors import InputError
from solon.oversight.argument import decidable
from solon.oversight.gates import And, Bits, Gate
from solon.oversight.payoffs import DIRECTIONS, Direction

PROVER, ESTIMATOR, JUDGE = SEATS = ("prover", "estimator", "judge")
OPPONENT = "opponent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """The claim at the root, and the seed of all that is drawn for it.

    Example:
        Disputed(claim="221 has no factor from 2 to 14", seed=3)
    """

    claim: str
    seed: int = 0
    name: str = ""
    """What its record is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Asks the prover for subclaims; the path leads from the root to the claim."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Subclaims, and the gate by which the claim follows; without any, the judge reads the claim.

    Example:
        Split(claims=("x is even", "x is small"))
    """

    claims: tuple[str, ...]
    gate: Gate = And()
    calls: int = 0

    def __post_init__(self) -> None:
        if self.claims:
            decidable(self.gate, len(self.claims))
        if len(set(self.claims)) < len(self.claims):
            raise InputError(f"claims: expected each once, got {self.claims}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """Asks how probable a subclaim is, given the bits of its earlier siblings."""

    path: tuple[str, ...]
    """From the root to the claim that was split; empty for the root itself."""
    split: Split
    given: Bits

    @property
    def child(self) -> int:
        """Which subclaim: the first whose bit is not given."""
        return len(self.given)

    @property
    def claim(self) -> str:
        return self.split.claims[self.child]

    @property
    def root(self) -> str:
        return self.path[0] if self.path else self.split.claims[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A probability, the estimator's or the judge's."""

    p: float
    calls: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise InputError(f"p: expected from 0 to 1, got {self.p}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One estimate at which the prover may point."""

    given: Bits
    p: float

    @property
    def child(self) -> int:
        return len(self.given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose:
    """Asks the prover which estimate is wrong, and in which direction."""

    path: tuple[str, ...]
    split: Split
    rows: tuple[Row, ...]

    @property
    def root(self) -> str:
        return self.path[0] if self.path else self.split.claims[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Commits the prover to one row, and to where the truth lies of what it states.

    Example:
        Point(row=2, direction=HIGHER)
    """

    row: int
    direction: Direction
    calls: int = 0

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise InputError(f"direction: expected -1, 0 or 1, got {self.direction}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Asks the judge whether a claim is true."""

    claim: str
    root: str
    """What all of it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """Asks the opponent of a recursive debate which subclaim is false."""

    path: tuple[str, ...]
    split: Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The subclaim that is said to be false."""

    child: int
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reword:
    """Asks for so many other wordings of a claim."""

    claim: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wordings:
    """Other ways to say a claim."""

    claims: tuple[str, ...]
    calls: int = 0

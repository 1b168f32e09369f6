"""Who works in a campaign, under which name, and where each is told to look."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import Literal

from solon.researchers.embedded import DIRECTIONS, UNDIRECTED, Direction

Kind = Literal["embedded", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One agent of a campaign.

    Example:
        Role(name="embedded-1", kind="embedded", direction=DIRECTIONS[0])
    """

    name: str
    """At the scorer, on the forum and in the trace."""
    kind: Kind
    """Whether it is a language model."""
    direction: Direction
    """Where it is told to look."""


def roles(agents: int, models: int, *, directed: bool) -> list[Role]:
    """Embedded agents, then models; of ten or more directed ones some share a direction."""
    kinds: list[Kind] = [*repeat("embedded", agents), *repeat("model", models)]
    return [
        Role(
            name=f"{kind}-{kinds[: k + 1].count(kind)}",
            kind=kind,
            direction=DIRECTIONS[k % len(DIRECTIONS)] if directed else UNDIRECTED,
        )
        for k, kind in enumerate(kinds)
    ]

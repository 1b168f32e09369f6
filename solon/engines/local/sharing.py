"""Who computes what: the work of one batch, dealt out to the processes of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from solon.engines.local.layout import Ids, Row, cut
from solon.engines.local.spread import Spread, Whole
from solon.objectives.batch import Loss
from solon.run.ranks import Alone, Ranks

T = TypeVar("T")
Units = Sequence[Sequence[Row]]


def deal(units: Units, count: int) -> list[list[int]]:
    """The numbers of the units (rows that must stay together) for each of ``count`` processes.

    Each process has about as many tokens. Siblings go to one process, which reads their prompt
    once, as long as there are prompts enough. Every process finds the same answer.
    """
    if count == 1:
        return [list(range(len(units)))]
    groups: dict[Ids, list[int]] = {}
    for number, unit in enumerate(units):
        groups.setdefault(unit[0].prompt, []).append(number)
    parts = list(groups.values()) if len(groups) >= count else [[i] for i in range(len(units))]

    def tokens(part: Sequence[int]) -> int:
        return sum(len(row) for i in part for row in units[i])

    hands: list[list[int]] = [[] for _ in range(count)]
    held = [0] * count
    for part in sorted(parts, key=lambda part: (-tokens(part), part[0])):
        least = held.index(min(held))
        hands[least] += part
        held[least] += tokens(part)
    return [sorted(hand) for hand in hands]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How a batch is worked on: a share for each process, in chunks of ``budget`` tokens."""

    budget: int
    ranks: Ranks = field(default_factory=Alone)
    spread: Spread = field(default_factory=Whole)

    def losses(self, units: Units, loss_of: Callable[[list[int]], Loss]) -> Iterator[Loss]:
        """The losses of this process's share, a chunk at a time.

        Where every pass needs all processes, one that has fewer chunks adds passes of weight 0.
        """
        chunks = self._chunks(units, deal(units, self.ranks.count)[self.ranks.rank])
        behind = self.spread.behind(len(chunks))  # asked before the first pass, which may wait
        yield from map(loss_of, chunks)
        for _ in range(behind):
            yield replace(loss_of([_shortest(units)]), weight=0.0)

    def found(self, units: Units, work: Callable[[list[int]], Sequence[T]]) -> list[T]:
        """One result for each unit, in order, on every process: work without gradient.

        Passes are in step, as those of ``losses`` are.
        """
        hands = deal(units, self.ranks.count)
        chunks = self._chunks(units, hands[self.ranks.rank])
        behind = self.spread.behind(len(chunks))
        mine = [(i, one) for c in chunks for i, one in zip(c, work(c), strict=True)]
        for _ in range(behind):
            work([_shortest(units)])
        together = {i: one for part in self.ranks.gathered(mine) for i, one in part}
        return [together[i] for i in range(len(units))]

    def _chunks(self, units: Units, hand: Sequence[int]) -> list[list[int]]:
        return [[hand[i] for i in chunk] for chunk in cut([units[i] for i in hand], self.budget)]


def _shortest(units: Units) -> int:
    return min(range(len(units)), key=lambda i: sum(map(len, units[i])))

"""Prompts of two sources in one stream."""

from __future__ import annotations

from dataclasses import dataclass

from solon.errors import SettingError
from solon.records import Prompt
from solon.seams.feedback import Prompts


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Of every n prompts taken, a ``share`` from the first source, spread evenly.

    Example:
        Mixture(first=red_team, second=prompts, share=0.5).take(4)    # one of each, by turns
    """

    first: Prompts
    second: Prompts
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise SettingError(f"share: expected 0 to 1, got {self.share}")

    def take(self, n: int, *, split: str = "train") -> list[Prompt]:
        """The next n prompts of that split."""
        # place i is the first source's where the whole part of share * i steps up
        turns = [int(self.share * (i + 1)) > int(self.share * i) for i in range(n)]
        some, others = (
            iter(source.take(count, split=split) if count else ())
            for source, count in ((self.first, sum(turns)), (self.second, n - sum(turns)))
        )
        return [next(some if turn else others) for turn in turns]

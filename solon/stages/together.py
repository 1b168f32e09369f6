"""Demonstrations of several sorts, imitated as one set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.records import Completion
from solon.run.run import Run
from solon.seams.feedback import Demonstrations, Spec


@dataclass(frozen=True, kw_only=True)
class Together:
    """Opens to all the demonstrations of its parts, part by part.

    Example:
        Together.of(answers, evaluations).open(run).demonstrate()
    """

    parts: tuple[Spec[Demonstrations], ...]

    @classmethod
    def of(cls, *parts: Spec[Demonstrations] | None) -> Together | None:
        """What is none is left out; nothing at all is none."""
        given = tuple(part for part in parts if part is not None)
        return cls(parts=given) if given else None

    def open(self, run: Run, /) -> Texts:
        texts = [part.open(run).demonstrate() for part in self.parts]
        return Texts([one for some in texts for one in some])


@dataclass(frozen=True)
class Texts:
    """Demonstrations in memory.

    Example:
        Texts([a, b]).demonstrate(1)    # [a]
    """

    texts: Sequence[Completion]

    def demonstrate(self, n: int = 0) -> list[Completion]:
        return list(self.texts[: n or None])

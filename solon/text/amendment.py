"""What became of a constitution: principles added, removed and reworded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from solon.text.constitution import Constitution
from solon.text.principle import Principle, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of one principle, before and after.

    Example:
        Change(id="no-injury", field="weight", before=1.0, after=2.0)
    """

    id: str
    field: str
    before: Value
    after: Value

    def __str__(self) -> str:
        return f"~ {self.id}, {self.field}: {self.before!r} -> {self.after!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What turns one constitution into another. An empty one is false: their digests are equal.

    ``reordered`` says that the principles of both stand in another order, so that a seed draws
    another one.

    Example:
        print(diff(Constitution.load("harmless"), Constitution.load("mine.toml")))
    """

    added: tuple[Principle, ...] = ()
    removed: tuple[Principle, ...] = ()
    changed: tuple[Change, ...] = ()
    reordered: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.reordered)

    def __str__(self) -> str:
        return "\n".join(self._lines()) or "no difference"

    def _lines(self) -> Iterator[str]:
        for sign, moved in (("-", self.removed), ("+", self.added)):
            for one in moved:
                yield f"{sign} {one.id}: {(one.compare or one.critique)!r}"
        yield from map(str, self.changed)
        if self.reordered:
            yield "~ the principles of both stand in another order: a seed draws another one"


def diff(before: Constitution, after: Constitution) -> Amendment:
    """What became of each principle, by its id."""
    old = {principle.id: principle for principle in before.principles}
    new = {principle.id: principle for principle in after.principles}
    kept = [one for one in old if one in new]
    return Amendment(
        added=tuple(one for name, one in new.items() if name not in old),
        removed=tuple(one for name, one in old.items() if name not in new),
        changed=tuple(change for name in kept for change in _changes(old[name], new[name])),
        reordered=kept != [one for one in new if one in old],
    )


def _changes(old: Principle, new: Principle) -> Iterator[Change]:
    for field in fields(Principle):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            yield Change(id=old.id, field=field.name, before=before, after=after)

"""Classification tasks from files, each split in three by its words: supervise, transfer, test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from solon.errors import DataError, SettingError
from solon.judges.dialogues import turns
from solon.judges.rows import Row, rows
from solon.records import digest
from solon.seams.classifying import Examples, Task

if TYPE_CHECKING:
    from solon.run.run import Run

PARTS = ("test", "supervise", "transfer")
WORST, BEST = "rejected", "chosen"


@dataclass(frozen=True, kw_only=True)
class TaskFiles:
    """One task for each file, of texts and their classes, with the one view ``text``.

    Rows (.jsonl, .csv, .parquet; .gz too) hold a text and its class, or a pair: then one of the two
    is shown, by a coin that its words decide, and the class is which (the reward model's task as in
    the authors' code of weak-to-strong). A file of plain lines, NAME_text.txt, has its classes in
    NAME_labels.txt beside it. What begins alike lies in one part: the same words, or the same first
    turn of a dialogue. Raises DataError, naming file, row and field.

    Example:
        TaskFiles(path=("banking.csv",), classes=("card_arrival", "lost_card"), balance=True)
    """

    path: tuple[str, ...] = ()
    """Files, with commas between them; each is a task of its own."""
    text: str = "text"
    """Field that holds the text."""
    label: str = "label"
    """Field that holds its class."""
    classes: tuple[str, ...] = ()
    """Classes that are kept, with commas between them; empty keeps all."""
    balance: bool = False
    """Whether the commoner classes of each part are cut to the rarest."""
    supervise: float = 0.3
    """Share of the items whose true labels the supervisor learns from."""
    test: float = 0.3
    """Share of the items on which all are tested; the rest is transfer."""
    most: int = 0
    """Most items of a file, the first by their digests; 0 takes all."""

    def open(self, run: Run, /) -> list[Task]:
        if not self.path:
            raise SettingError("tasks.path: expected a file of labelled texts, got none")
        if not (self.supervise > 0 and self.test > 0 and self.supervise + self.test < 1):
            raise SettingError(
                "tasks.supervise, tasks.test: expected shares above 0 that leave something to "
                f"transfer, got {self.supervise:g} and {self.test:g}"
            )
        found = [self._task(Path(name), run) for name in self.path]
        twice = [name for name, n in Counter(one.name for one in found).items() if n > 1]
        if twice:
            raise SettingError(f"tasks.path: two files make a task {twice[0]!r}: rename one")
        return found

    def _task(self, path: Path, run: Run) -> Task:
        items = sorted(self._items(path), key=lambda one: one.name)
        items = items[: self.most or None]
        names = self._names(path, items)
        by_part: dict[str, list[Item]] = {part: [] for part in PARTS}
        for one in items:
            if one.label in names:
                by_part[self._part(one)].append(one)
        parts = {part: self._examples(path, part, by_part[part], names, run) for part in by_part}
        return Task(name=_named(path), classes=len(names), **parts)

    def _names(self, path: Path, items: Sequence[Item]) -> list[str]:
        """The classes in order: as they are given, else sorted."""
        there = {one.label for one in items}
        for name in self.classes:
            if name not in there:
                raise DataError(path, field=self.label, expected=f"class {name!r}", came="no row")
        names = list(self.classes) or sorted(there)
        if len(names) < 2:
            raise DataError(path, field=self.label, expected="two classes or more", came=len(names))
        return names

    def _part(self, item: Item) -> str:
        at = int(digest("task", item.group), 16) / 2**64
        if at < self.test:
            return "test"
        return "supervise" if at < self.test + self.supervise else "transfer"

    def _examples(
        self, path: Path, part: str, items: Sequence[Item], names: Sequence[str], run: Run
    ) -> Examples:
        counts = Counter(one.label for one in items)
        missing = [name for name in names if not counts[name]]
        if missing:
            raise DataError(
                path, field=self.label, expected=f"class {missing[0]!r} in {part} too", came="none"
            )
        kept = list(_balanced(items, min(counts.values()))) if self.balance else list(items)
        if len(kept) < len(items):
            run.note(f"{path}: {len(items) - len(kept)} of {len(items)} left out to balance {part}")
        return Examples(
            ids=tuple(one.name for one in kept),
            labels=np.array([names.index(one.label) for one in kept], dtype=np.int64),
            views={"text": [one.text for one in kept]},
        )

    def _items(self, path: Path) -> Iterator[Item]:
        labels = _labels_beside(path)
        for row in rows(path):
            if labels is not None:
                if row.number not in labels:
                    raise row.fault("text", f"no more lines than {_beside(path).name} has")
                yield Item.of(row, row.text("text"), labels[row.number])
            elif self.text not in row.fields and BEST in row.fields:
                yield _shown(row)
            else:
                yield Item.of(row, row.text(self.text), self._label(row))

    def _label(self, row: Row) -> str:
        said = row.said(self.label)
        if not said:
            raise row.fault(self.label, "a class")
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A text, its class, what it must not be parted from, and a name that is its own.

    Example:
        Item(name="1f..-3", text="Where is it?", label="card_arrival", group="Where is it?")
    """

    name: str
    text: str
    label: str
    group: str

    @classmethod
    def of(cls, row: Row, text: str, label: str, group: str = "") -> Item:
        return cls(name=f"{digest(text)}-{row.number}", text=text, label=label, group=group or text)


def _shown(row: Row) -> Item:
    """One of a pair, with its dialogue; a fair coin that its words decide says which."""
    texts = {name: row.text(name) for name in (BEST, WORST)}
    if texts[BEST] == texts[WORST]:
        raise row.fault(WORST, "another text than chosen")
    first = min(texts.values())
    heads = bool(int(digest("coin", *sorted(texts.values())), 16) % 2)
    shown = next(name for name in (BEST, WORST) if (texts[name] == first) == heads)
    said = turns(texts[shown])
    before = row.text("prompt") if row.fields.get("prompt") is not None else ""
    group = before or (said[0].text if said else "")
    return Item.of(row, before + texts[shown], shown, group)


def _balanced(items: Sequence[Item], most: int) -> Iterator[Item]:
    """The first of each class, as many as the rarest has, in order."""
    seen: Counter[str] = Counter()
    for one in items:
        seen[one.label] += 1
        if seen[one.label] <= most:
            yield one


def _beside(path: Path) -> Path:
    """NAME_labels.txt of NAME_text.txt, zipped or not."""
    plain = path.name.removesuffix(".gz").replace("_text.txt", "_labels.txt")
    return next(
        (one for one in (path.with_name(plain), path.with_name(f"{plain}.gz")) if one.is_file()),
        path.with_name(plain),
    )


def _labels_beside(path: Path) -> dict[int, str] | None:
    """Classes by line number; None for a file whose rows hold them."""
    if not path.name.removesuffix(".gz").endswith(".txt"):
        return None
    if "_text.txt" not in path.name:
        raise DataError(path, expected="NAME_text.txt beside NAME_labels.txt", came=path.name)
    return {row.number: cast("str", row.fields["text"]) for row in rows(_beside(path))}


def _named(path: Path) -> str:
    """The file's name without its endings; of NAME_text.txt, its folder's."""
    stem = path.name.partition(".")[0]
    return path.resolve().parent.name if stem.endswith("_text") else stem

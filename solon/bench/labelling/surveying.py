"""The first pass over the rows: every one is read before anything is paid, and none is kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from solon.bench.labelling.candidates import candidates
from solon.bench.labelling.kinds import KINDS, Ask
from solon.bench.labelling.reading import Place, input_files, read
from solon.errors import DataError
from solon.judges.aspects import ASPECTS
from solon.judges.rows import Row

SAME = "all answers are the same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one row asks, and where reading goes on after it. ``left_out`` says why it asks nothing.

    Example:
        Asked(file="a.jsonl", row=17, questions=(Rate(completion=a),), after=Place(row=17))
    """

    file: str
    row: int
    after: Place
    questions: Sequence[Any] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a file or a data set folder, as questions of one kind.

    Example:
        Rows(path=Path("pairs.jsonl"), ask="compare")
    """

    path: Path
    """File (.jsonl, .parquet and what prompts may be in; .gz too), or data set folder."""
    ask: Ask = "compare"
    """What is asked of a row's answers."""
    aspects: tuple[str, ...] = ASPECTS
    """Aspects that a rater is asked for, each in a question of its own."""
    split: str = ""
    """Split of a data set that has several."""

    def files(self) -> list[Path]:
        return input_files(self.path, self.split)

    def asked(self, files: Sequence[Path], at: Place = Place()) -> Iterator[Asked]:
        """The rows from that place on. Raises DataError, naming file, row and field."""
        for row, after in read(files, at):
            yield self._asked(row, after)

    def _asked(self, row: Row, after: Place) -> Asked:
        kind, answers = KINDS[self.ask], candidates(row)
        if isinstance(answers, str):
            return Asked(file=row.file.name, row=row.number, after=after, left_out=answers)
        if len(answers) < kind.least:
            expected = f"at least {kind.least} answers to {self.ask}"
            raise DataError(row.file, row=row.number, expected=expected, came=len(answers))
        found = kind.questions(answers, self.aspects)
        left_out = "" if found else SAME
        return Asked(
            file=row.file.name, row=row.number, after=after, questions=found, left_out=left_out
        )


@dataclass(slots=True, kw_only=True)
class Survey:
    """What there is to ask; ``sample`` holds some rows that ask, each as likely as any other.

    Example:
        survey(rows, rows.files(), keep=2000).questions
    """

    rows: int = 0
    questions: int = 0
    left_out: Counter[str] = field(default_factory=Counter[str])
    sample: list[Asked] = field(default_factory=list[Asked], repr=False)

    @property
    def asking(self) -> int:
        """Rows that ask something."""
        return self.rows - self.left_out.total()


def survey(rows: Rows, files: Sequence[Path], *, keep: int = 0, seed: int = 0) -> Survey:
    """Reads every row, and keeps a sample of so many. DataError for the first bad row, or none."""
    found, draw = Survey(), np.random.default_rng(seed)
    for asked in rows.asked(files):
        found.rows += 1
        found.questions += len(asked.questions)
        if asked.left_out:
            found.left_out[asked.left_out] += 1
        elif keep:
            _reservoir(found, asked, keep, draw)
    if not found.questions:
        raise DataError(rows.path, expected="at least one row that asks something", came="none")
    return found


def _reservoir(found: Survey, asked: Asked, keep: int, draw: np.random.Generator) -> None:
    """Vitter's algorithm R: after n rows each of them is kept with probability keep / n."""
    if len(found.sample) < keep:
        found.sample.append(asked)
        return
    place = int(draw.integers(found.asking))
    if place < keep:
        found.sample[place] = asked


def fingerprint(file: Path) -> dict[str, Any]:
    """A file's name, size, time of change and digest."""
    told = file.stat()
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return {"file": str(file), "size": told.st_size, "changed": told.st_mtime_ns, "digest": digest}


def unchanged(file: Path, before: dict[str, Any]) -> bool:
    """Whether the file holds what it held; one that nobody has touched is not read again."""
    if not file.is_file():
        return False
    told = file.stat()
    if (told.st_size, told.st_mtime_ns) == (before["size"], before["changed"]):
        return True
    return fingerprint(file)["digest"] == before["digest"]

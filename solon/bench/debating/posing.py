"""Questions to argue about: from the shell, from a file, or hidden passages of the town."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from solon.bench.files import read_text
from solon.errors import DataError, SettingError
from solon.judges.rows import Row, rows
from solon.lab.passages import Passages
from solon.oversight.dispute import SIDES, Dispute, Side
from solon.run.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """What a game is about, and what no game sees: which answer is right, and what it belongs to.

    Example:
        Posed(dispute=Dispute.of("Who stole the lamp?", "The miller", "The smith"), right="first")
    """

    dispute: Dispute
    right: Side | None = None
    """The right answer, where it is known."""
    cluster: str = ""
    """Questions of one cluster, as of one story, are not independent; empty is its own."""

    @property
    def id(self) -> str:
        return self.dispute.question.first.prompt.id


@dataclass(frozen=True, slots=True, kw_only=True)
class OneQuestion:
    """A question from the shell.

    Example:
        OneQuestion(question="Who stole the lamp?", first="The miller", second="The smith")
    """

    question: str
    """What is asked."""
    first: str
    """The first answer."""
    second: str
    """The second answer."""
    source: str = ""
    """The text that only the debaters read."""

    def open(self, run: Run, /) -> list[Posed]:
        del run
        said = {"question": self.question, "first": self.first, "second": self.second}
        for name, text in said.items():
            if not text.strip():
                raise SettingError(f"{name}: expected text, got none")
        if self.first == self.second:
            raise SettingError(f"second: expected another answer than the first, got {self.second}")
        return [Posed(dispute=Dispute.of(*said.values(), source=self.source))]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFile:
    """Rows of question, first, second, and if there is one: source, right, id, cluster.

    Example:
        QuestionFile(path="quality.jsonl").open(run)
    """

    path: str
    """File of questions (.jsonl, .json, .csv or .parquet; .gz too)."""

    def open(self, run: Run, /) -> list[Posed]:
        """All of them; DataError with file, row and field for the first bad row, or for no row."""
        del run
        found: dict[str, Posed] = {}
        for row in rows(Path(self.path)):
            posed = _posed(row)
            if posed.id in found:
                raise row.fault("id", "each once")
            found[posed.id] = posed
        if not found:
            raise DataError(self.path, expected="at least one question", came="none")
        return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenPassages:
    """Stories of the town that only the debaters read.

    Example:
        HiddenPassages(n=100).open(run)
    """

    n: int = 1
    """Stories drawn, by the run's seed."""
    passages: Passages = Passages()
    """How they are made."""

    def open(self, run: Run, /) -> list[Posed]:
        if self.n < 1:
            raise SettingError(f"n: expected at least 1, got {self.n}")
        return [
            Posed(
                dispute=Dispute.of(
                    one.question, one.first, one.second, source=one.source, id=one.id
                ),
                right=one.right,
            )
            for one in self.passages.drawn(self.n, seed=run.seed)
        ]


def one_question(question: str, first: str, second: str, source: Path | None) -> OneQuestion:
    """The shell's question; DataError for a source that cannot be read."""
    text = "" if source is None else read_text(source)
    return OneQuestion(question=question, first=first, second=second, source=text)


def _posed(row: Row) -> Posed:
    question, first, second = (row.text(name) for name in ("question", *SIDES))
    if first == second:
        raise row.fault("second", "another answer than the first")
    dispute = Dispute.of(
        question,
        first,
        second,
        source=_optional(row, "source"),
        id=_optional(row, "id") or f"row-{row.number}",
    )
    return Posed(dispute=dispute, right=_right(row), cluster=_optional(row, "cluster"))


def _optional(row: Row, name: str) -> str:
    return row.said(name) if name in row.fields else ""


def _right(row: Row) -> Side | None:
    said = row.fields.get("right")
    if said in (None, ""):
        return None
    if said not in SIDES:
        raise row.fault("right", " or ".join(SIDES))
    return said

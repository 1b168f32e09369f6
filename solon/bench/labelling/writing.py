"""Shards of labels and the journal that says how far they reach: what a resume begins with.

records/judgements/00000.parquet    everything that was said, abstentions too (our records)
records/preferences/00000.parquet   compared pairs, as a run reads them (``labels.path``)
labels/00000.parquet                what was answered, flat: datasets, TRL and DuckDB read it
labelled.jsonl                      a line a shard, written last: where to go on, and the counts
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from solon.bench.labelling.keeping import not_ours
from solon.bench.labelling.kinds import KINDS, TEXT, Ask, Cells, reason
from solon.bench.labelling.reading import Place
from solon.bench.labelling.surveying import Asked
from solon.judges.questions import preferences
from solon.records import Critique, digest
from solon.run import lines
from solon.run.shards import write_records

JOURNAL = "labelled.jsonl"
SOURCE = {"judge": TEXT, "principle": TEXT, "provenance": TEXT}


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a folder's labels reach.

    Example:
        Progress.of(Path("labels")).place
    """

    shards: int = 0
    place: Place = Place()
    rows: int = 0
    questions: int = 0
    abstained: Counter[str] = field(default_factory=Counter[str])

    @classmethod
    def of(cls, folder: Path) -> Progress:
        """What the journal says; a shard without its line is written again."""
        found, path = cls(), folder / JOURNAL
        try:
            for line in lines.each(path):
                found.add(line)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise not_ours(path, error) from error
        return found

    def add(self, line: dict[str, Any]) -> None:
        self.shards += 1
        self.place = Place(**line["after"])
        self.rows += line["rows"]
        self.questions += line["questions"]
        self.abstained.update(line["abstained"])

    @property
    def answered(self) -> int:
        return self.questions - self.abstained.total()


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Where labels of one kind are written; ``made`` is the digest of what makes them.

    Example:
        Labels(folder=run.dir, ask="score", judge=judge.id, made="91c2...").write(rows, judgements)
    """

    folder: Path
    ask: Ask
    judge: str
    made: str
    progress: Progress = field(default_factory=Progress)

    def write(self, rows: Sequence[Asked], said: Sequence[Any]) -> None:
        """One shard of each set, durable, and then its line; ``said`` answers the questions."""
        kind, number = KINDS[self.ask], self.progress.shards
        records = write_records(self.folder / "records" / kind.records, said, index=number)
        _sync(records / f"{number:05d}.parquet")
        if self.ask == "compare":  # what our own recipes learn from
            write_records(self.folder / "records" / "preferences", preferences(said), index=number)
        self._write(self._cells(rows, said), number)
        line = {
            "rows": len(rows),
            "questions": len(said),
            "abstained": dict(Counter(why for one in said if (why := reason(one)))),
            "after": asdict(rows[-1].after),
        }
        lines.append(self.folder / JOURNAL, line)
        self.progress.add(line)

    def _cells(self, rows: Sequence[Asked], said: Sequence[Any]) -> list[Cells]:
        asked = [row for row in rows for _ in row.questions]
        return [
            {"file": row.file, "row": row.row, **cells, **self._source(one)}
            for row, one in zip(asked, said, strict=True)
            if not reason(one)
            for cells in KINDS[self.ask].cells(one)
        ]

    def _source(self, said: Any) -> Cells:
        """Who said it, by which principle, and the digest of everything that made it."""
        asked = said.completion if isinstance(said, Critique) else (said.question, said.digest)
        provenance = digest(self.made, self.judge, said.principle, said.seed, asked)
        return {"judge": self.judge, "principle": said.principle, "provenance": provenance}

    def _write(self, cells: Sequence[Cells], number: int) -> None:
        folder = self.folder / "labels"
        folder.mkdir(exist_ok=True)
        path = folder / f"{number:05d}.parquet"
        columns = {"file": TEXT, "row": pa.int64(), **KINDS[self.ask].columns, **SOURCE}
        table = pa.Table.from_pylist(list(cells), schema=pa.schema(list(columns.items())))
        partial = path.with_suffix(".partial")
        pq.write_table(table, partial, compression="zstd")
        _sync(partial)
        partial.replace(path)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

"""What a folder of labels was made of: the same command goes on, another one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from solon.bench.labelling.surveying import Rows, Survey, fingerprint, survey, unchanged
from solon.errors import RunError
from solon.judges.rows import left_out
from solon.run.run import Run

WHO = {"judge": "another judge", "made": "other settings, files or another seed"}


def surveyed(run: Run, rows: Rows, files: Sequence[Path], *, begun: bool) -> Survey:
    """What there is to ask; once counted it is only compared, and refused where labels exist."""
    path = run.dir / "input.json"
    said = {"split": rows.split, "ask": rows.ask, "aspects": list(rows.aspects)}
    if path.exists():
        before = orjson.loads(path.read_bytes())
        same = before["read"] == said and len(before["files"]) == len(files)
        if same and all(map(unchanged, files, before["files"])):
            return Survey(rows=before["rows"], questions=before["questions"])
        if begun:
            raise RunError(f"{run.dir} holds labels of other rows: give another --out")
    run.note(f"reading {rows.path}")
    found = survey(rows, files)
    if found.left_out:
        run.note(left_out(rows.path, found.left_out, read=found.asking))
    told = {"files": [fingerprint(one) for one in files], "read": said}
    told |= {"rows": found.rows, "questions": found.questions, "left_out": dict(found.left_out)}
    _keep(path, told)
    return found


def same_as_before(path: Path, told: Mapping[str, str], *, begun: bool) -> None:
    """Keeps what makes the labels; RunError where the folder holds labels that others made."""
    before = orjson.loads(path.read_bytes()) if begun else told
    for name, value in told.items():
        if before[name] != value:
            raise RunError(
                f"{path.parent} holds labels by {WHO[name]} ({before[name]}, not {value}): "
                "give another --out"
            )
    _keep(path, told)


def _keep(path: Path, told: Mapping[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(orjson.dumps(dict(told), option=orjson.OPT_INDENT_2))
    partial.replace(path)

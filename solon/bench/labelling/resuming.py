"""What a folder of labels was made of: the same command goes on, another one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from solon.bench.labelling.keeping import keep, kept
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
        before = kept(path, "read", "files", "rows", "questions")
        same = before["read"] == said and len(before["files"]) == len(files)
        if same and all(map(unchanged, files, before["files"])):
            return Survey(rows=before["rows"], questions=before["questions"])
        if begun:
            raise RunError(
                f"{run.dir} holds labels {_of(before['read'], said)}: give another --out"
            )
    run.note(f"reading {rows.path}")
    found = survey(rows, files)
    if found.left_out:
        run.note(left_out(rows.path, found.left_out, read=found.asking))
    told = {"files": [fingerprint(one) for one in files], "read": said}
    told |= {"rows": found.rows, "questions": found.questions, "left_out": dict(found.left_out)}
    keep(path, told)
    return found


def _of(before: Mapping[str, object], said: Mapping[str, object]) -> str:
    """What the labels that are there were asked, where it was something else; else of what."""
    for name, now in said.items():
        if before.get(name) != now:
            return f"asked with another --{name} ({before.get(name)}, not {now})"
    return "of other rows"


def refuse_others(folder: Path, recipe: str) -> None:
    """RunError where the folder, which holds no labels yet, holds what would be written over.

    What an earlier command left that labelled nothing is ours.
    """
    manifest, told = folder / "manifest.json", folder / "labels.json"
    if told.exists():
        kept(told, *WHO)
    if manifest.exists():
        foreign = kept(manifest, "recipe")["recipe"] != recipe
    else:
        files = (*folder.glob("records/*"), *folder.glob("labels/*"))
        foreign = bool(files) and not told.exists()
    if foreign:
        raise RunError(f"{folder} holds another run: give another --out")


def same_as_before(path: Path, told: Mapping[str, str], *, begun: bool) -> None:
    """Keeps what makes the labels; RunError where the folder holds labels that others made."""
    before = kept(path, *WHO) if begun else told
    for name, value in told.items():
        if before[name] != value:
            raise RunError(
                f"{path.parent} holds labels by {WHO[name]} ({before[name]}, not {value}): "
                "give another --out"
            )
    keep(path, told)

"""What a run of weak-to-strong recovered: its predictions beside the labels that it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from solon.audits.recovery import Recovery
from solon.bench.auditing import write_findings
from solon.bench.bench import Bench
from solon.bench.closing import cell_of
from solon.judges.trials import judged
from solon.records import Finding, Prediction
from solon.run.run import Run
from solon.run.shards import read_records

STAGES = ("weak", "naive", "student", "ceiling")
COLUMNS = ("accuracy", "PGR", "agrees with weak where it is right", "and where it is wrong")
NOTES = (
    "PGR is (student - weak) / (ceiling - weak), never clipped.",
    "95 % intervals resample test items and seeds together.",
    "Naive learns the weak labels as they are, the ceiling true ones; both are the student's kind.",
)


def recovery_of(run: Run, bench: Bench) -> list[Finding]:
    """The audit's findings; none where the run has trained no classifiers."""
    folders = [run.dir / "records" / name for name in STAGES]
    said = [one for path in folders if path.is_dir() for one in read_records(path)]
    predictions = [one for one in said if isinstance(one, Prediction)]
    if bench.tasks is None or not predictions:
        return []
    return Recovery().recorded(judged(predictions, bench.tasks.open(run)))


def close_tasks(run: Run, bench: Bench) -> Any:
    """The closing table of a run without a policy, in summary.json, and its audit."""
    findings = recovery_of(run, bench)
    write_findings(run.dir / "audits" / "recovery.json", findings)
    found = {one.quantity: one for one in findings}
    rows = list(_rows(found))
    columns = [name for name in COLUMNS if any(name in row["values"] for row in rows)]
    flagged = [one.note for one in found.values() if "too small" in one.note]
    summary = {"columns": columns, "rows": rows, "notes": [*NOTES, *dict.fromkeys(flagged)]}
    (run.dir / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    return summary


def _rows(found: Mapping[str, Finding]) -> Iterator[dict[str, Any]]:
    """Weak and ceiling first, then the students; with several tasks the median last."""
    roles = [name.split("/")[1:] for name in found if name.startswith("accuracy/")]
    tasks = list(dict.fromkeys("/".join(tail) for _, *tail in roles))
    for task in tasks:
        tail = f"/{task}" if task else ""
        here = [role for role, *rest in roles if "/".join(rest) == task]
        for role in ("weak", "ceiling", *(one for one in here if one not in ("weak", "ceiling"))):
            share = f"pgr/{role}{tail}"
            names = (
                f"accuracy/{role}{tail}",
                share,
                f"agrees_where_right/{role}{tail}",
                f"agrees_where_wrong/{role}{tail}",
            )
            yield {"name": f"{task} · {role}" if task else role, "values": _values(found, names)}
    if len(tasks) > 1:
        for name in found:
            if name.startswith("pgr/") and name.count("/") == 1:
                values = _values(found, ("", name))
                yield {"name": f"median of tasks · {name.removeprefix('pgr/')}", "values": values}


def _values(found: Mapping[str, Finding], names: Sequence[str]) -> dict[str, Any]:
    return {
        column: cell_of(found[name])
        for column, name in zip(COLUMNS, names, strict=False)
        if name in found
    }

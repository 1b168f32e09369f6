"""``solon label``: a judge compares the pairs of a file; what it says is on disk as it is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from solon.bench.bench import Bench, compose_bench
from solon.bench.named import named
from solon.errors import SettingError
from solon.judges.human import HumanLabels
from solon.judges.questions import preferences
from solon.run.display import Display
from solon.run.run import Run


def label_file(
    pairs: Path,
    bench: str,
    changes: Mapping[str, str],
    *,
    out: Path,
    seed: int = 0,
    budget: float | None = None,
) -> Path:
    """Judgements and preferences as parquet below ``out``; the same command resumes."""
    made: Bench = compose_bench(named(bench), changes)
    if made.judge is None:
        raise SettingError(f"the bench {made.name!r} has no judge")
    display = Display()
    with Run(out, seed=seed, display=display, budget=budget) as run:
        questions = HumanLabels(path=str(pairs)).open(run).questions()
        judge = made.judge.open(run)
        with run.stage("label"):
            judgements = run.map("judgements", judge, questions, chunk=64)
            data = preferences(judgements)
            run.save("preferences", data)
        silent = len(judgements) - len(data)
        run.note(f"{len(data)} pairs labelled, {silent} abstained: {out / 'records'}")
    return out

"""The closing table: what a run changed, measured on prompts that it never trained on.

Columns are means over test prompts with 95 % intervals (clustered by prompt). The first row is the
start, and ``win rate`` is against it. This is the only code beside claims and watchers that sees
gold, and it runs after the recipe has returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from solon.bench.bench import Bench, Measure
from solon.records import Abstains, Compare, Completion, Finding, Prompt, flat
from solon.run.run import Run
from solon.seams.feedback import PairJudge, World
from solon.seams.learning import Frozen
from solon.statistics import Interval, at_equal_length, mean, proportion

Floats = NDArray[np.float64]
Wins = Callable[[Sequence[Completion], Sequence[Completion]], Floats]
START = "sft"


def close(run: Run, bench: Bench, prompts: Sequence[Prompt]) -> Any:
    """Answers the prompts with every kept policy and writes summary.json; returns its content."""
    answered = {name: _answer(run, name, policy, prompts) for name, policy in run.policies.items()}
    start = _start(run)
    wins = _wins(run, bench)
    rows = [
        {"name": name, "values": _row(run, texts, answered[start], wins, bench.measure)}
        for name, texts in answered.items()
    ]
    columns = list(dict.fromkeys(column for row in rows for column in row["values"]))
    summary = {"columns": columns, "rows": rows, "notes": _notes(bench, len(prompts), start)}
    (run.dir / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    run.save("samples", [one for texts in answered.values() for one in texts])
    return summary


def _answer(run: Run, name: str, policy: Frozen, prompts: Sequence[Prompt]) -> list[Completion]:
    """One answer a prompt; where an earlier command had more or fewer prompts, kept apart."""

    def answered(records: str) -> list[Completion]:
        return run.map(records, lambda batch: flat(policy.sample(batch)), prompts)

    told = answered(f"answers-{name}")
    return told if len(told) == len(prompts) else answered(f"answers-{name}-{len(prompts)}")


def _row(
    run: Run,
    texts: Sequence[Completion],
    start: Sequence[Completion],
    wins: Wins | None,
    measure: Measure | None,
) -> dict[str, Any]:
    ids = [one.prompt.id for one in texts]
    row = _measured(texts, ids, measure)
    if wins is not None and texts is not start:
        won = wins(texts, start)
        kept = ~np.isnan(won)
        mine, other = _lengths(texts)[kept], _lengths(start)[kept]
        names = [one for one, here in zip(ids, kept, strict=True) if here]
        row["win rate"] = cell_of(mean(won[kept], names))
        row["win rate, equal length"] = cell_of(at_equal_length(won[kept], mine, other, names))
    if texts is not start:
        row["KL, nats"] = cell_of(mean(_log_ratios(run.policies[_start(run)], texts), ids))
    row["length, characters"] = cell_of(mean(_lengths(texts), ids))
    row["ended by itself"] = cell_of(proportion([one.finish == "stop" for one in texts], ids))
    return row


def _measured(
    texts: Sequence[Completion], ids: Sequence[str], measure: Measure | None
) -> dict[str, Any]:
    """One column per thing that the world measures, over the completions it applies to."""
    if measure is None:
        return {}
    said = measure(texts)
    row: dict[str, Any] = {}
    for column in said[0]:
        found = [(one[column], id_) for one, id_ in zip(said, ids, strict=True)]
        kept = [(value, id_) for value, id_ in found if value is not None]
        if kept:
            values, names = zip(*kept, strict=True)
            interval = proportion if set(values) <= {0.0, 1.0} else mean
            row[column] = cell_of(interval(np.asarray(values, float), list(names)))
    return row


def _start(run: Run) -> str:
    """The supervised start; the only policy where there was none."""
    return START if START in run.policies else next(iter(run.policies))


def _log_ratios(start: Frozen, texts: Sequence[Completion]) -> Floats:
    """log pi(y|x) - log pi_start(y|x) of y drawn from pi: their mean is KL(pi || start)."""
    return np.array([sum(one.logps) for one in texts]) - np.array(start.logp(texts))


def _lengths(texts: Sequence[Completion]) -> Floats:
    return np.array([max(1, len(one.text)) for one in texts], float)


def _wins(run: Run, bench: Bench) -> Wins | None:
    """Gold decides where it is known (a tie is half a win); else the evaluator's soft labels."""
    if bench.world is not None:
        return by_gold(bench.world.open(run))
    if bench.evaluator is not None:
        return by_judge(bench.evaluator.open(run))
    return None


def by_gold(world: World) -> Wins:
    """1 where the first has the higher gold, 0.5 where they tie."""

    def wins(first: Sequence[Completion], second: Sequence[Completion]) -> Floats:
        gap = np.array(world.gold(first)) - np.array(world.gold(second))
        return (np.sign(np.where(np.abs(gap) < 1e-9, 0, gap)) + 1) / 2

    return wins


def by_judge(judge: PairJudge) -> Wins:
    """The judge's P(first is better); nan where it abstains; 0.5 for equal texts, unasked."""

    def wins(first: Sequence[Completion], second: Sequence[Completion]) -> Floats:
        pairs = list(zip(first, second, strict=True))
        asked = [i for i, (a, b) in enumerate(pairs) if a.text != b.text]
        said = judge([Compare(first=pairs[i][0], second=pairs[i][1]) for i in asked])
        won = np.full(len(pairs), 0.5)
        for i, judgement in zip(asked, said, strict=True):
            answer = judgement.answer
            won[i] = np.nan if isinstance(answer, Abstains) else answer.p_first
        return won

    return wins


def cell_of(interval: Interval | Finding) -> dict[str, float | int]:
    """A cell of the closing table."""
    return {
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
    }


def _notes(bench: Bench, n: int, start: str) -> list[str]:
    return [
        f"{n} test prompts, one completion each; 95 % intervals, clustered by prompt.",
        *_judged(bench, start),
        "KL is E[log pi - log pi_start] over the policy's own completions, summed over tokens.",
    ]


def _judged(bench: Bench, start: str) -> list[str]:
    if bench.world is None and bench.evaluator is None:
        told = (
            "No win rate: there is neither a true reward nor an evaluator. Whether the change is "
            "for the better, this table cannot say (evaluator=logits evaluator.model=... can)."
        )
        return [told]
    judged = "the true reward decides each pair" if bench.world else "the evaluator decides"
    return [
        f"Win rates are against {start}; {judged}.",
        "At equal length: Lee et al.'s logistic regression on the ratio of lengths.",
    ]

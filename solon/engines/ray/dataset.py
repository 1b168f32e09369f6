"""Labels over a Ray data set: the judge is opened once in each worker, and rows stream through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import ray.data
from ray import cloudpickle

from solon.engines.ray.away import AwayRun
from solon.engines.ray.cluster import carried
from solon.engines.ray.counter import open_desk
from solon.engines.ray.desk import Line
from solon.errors import DataError
from solon.records import Abstains, Compare, Completion, Prefers, Prompt, Rate, Scores
from solon.run.run import Run
from solon.seams.feedback import PairJudge, ScoreJudge, Spec

Cells = Mapping[str, Any]
SAID = pa.schema(
    [
        ("p_first", pa.float64()),
        ("score", pa.float64()),
        ("abstained", pa.string()),
        ("judge", pa.string()),
        ("principle", pa.string()),
        ("digest", pa.string()),
    ]
)


def question(row: Cells) -> Compare | Rate:
    """A comparison of ``first`` and ``second``, or a rating of ``completion``, after ``prompt``."""
    prompt = Prompt.of(_text(row, "prompt"))
    if "completion" in row:
        return Rate(completion=Completion(prompt=prompt, text=_text(row, "completion")))
    first = Completion(prompt=prompt, text=_text(row, "first"))
    return Compare(first=first, second=Completion(prompt=prompt, text=_text(row, "second")))


def _text(row: Cells, name: str) -> str:
    text = row.get(name)
    if not isinstance(text, str):
        raise DataError("data set", field=name, expected="text", came=text)
    return text


def labelled(
    dataset: ray.data.Dataset,
    judge: Spec[PairJudge] | Spec[ScoreJudge],
    run: Run,
    *,
    ask: Callable[[Cells], Compare | Rate] = question,
    workers: int = 2,
    **options: Any,
) -> ray.data.Dataset:
    """The data set with what the judge said of each row in columns of its own; nothing is asked
    before rows are taken. ``options`` are map_batches's: batch_size, num_gpus ...

    Replies come from the run's cache where it has them, and calls are paid from its budget, as if
    it asked them itself; the run must stay open until all rows are taken. A row that the judge
    abstains from has a reason in ``abstained``, and no number.
    """
    told = _Told(
        part=carried(judge),
        ask=cloudpickle.dumps(ask),
        desk=open_desk(run),
        seed=run.seed,
        budget=run.ledger.budget,
    )
    given: dict[str, Any] = {"batch_size": 64, "num_cpus": 1.0, **options}
    return dataset.map_batches(
        _Worker,
        fn_constructor_args=(told,),
        compute=ray.data.ActorPoolStrategy(size=workers),
        batch_format="pyarrow",
        **given,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a worker needs to be told."""

    part: bytes
    ask: bytes
    desk: Any
    seed: int
    budget: float | None


class _Worker:
    """A judge in a process of Ray Data's."""

    def __init__(self, told: _Told) -> None:
        line = Line(desk=told.desk, copy=_own_number())
        run = AwayRun.of(line, seed=told.seed, budget=told.budget)
        self.judge = cloudpickle.loads(told.part).open(run)
        self.question = cloudpickle.loads(told.ask)
        run.opening = False
        self.line = line

    def __call__(self, batch: pa.Table) -> pa.Table:
        said = self.judge([self.question(row) for row in batch.to_pylist()])
        self.line.settle()
        cells = [_cells(one) for one in said]
        found = pa.Table.from_pylist(cells, schema=SAID)
        for name in SAID.names:
            batch = batch.append_column(name, found[name])
        return batch


def _own_number() -> int:
    """A number of this process that no other of the cluster has."""
    return int(ray.get_runtime_context().get_worker_id(), 16)


def _cells(said: Any) -> dict[str, Any]:
    answer: Prefers | Scores | Abstains = said.answer
    return {
        "p_first": answer.p_first if isinstance(answer, Prefers) else None,
        "score": answer.value if isinstance(answer, Scores) else None,
        "abstained": answer.reason or "no reason given" if isinstance(answer, Abstains) else None,
        "judge": said.judge,
        "principle": said.principle,
        "digest": said.digest,
    }

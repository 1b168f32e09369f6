"""What a labelling would cost: its real prompts are written and counted, and nothing is sent."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from solon.bench.labelling.labelling import Labelling, answering
from solon.bench.labelling.surveying import Rows, Survey, survey
from solon.engines.endpoint import Endpoint
from solon.engines.endpoint.unsent import WORD, Tally, Unsent
from solon.engines.ray import OnRay
from solon.judges.rows import left_out
from solon.records import Completion, Group, Prompt
from solon.run.run import Run

SAMPLE = 2000  # rows whose prompts are written; the rest is taken to be like them


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What there is to ask, and what the sampled rows would use of each endpoint.

    Example:
        print(estimate(labelling, Rows(path=Path("pairs.jsonl"))))
    """

    rows: Rows
    found: Survey
    sampled: int
    tallies: Sequence[Tally]

    @property
    def scale(self) -> float:
        """Questions of all rows, for each one of the sampled rows'."""
        return self.found.questions / self.sampled

    def __str__(self) -> str:
        found = self.found
        lines = [f"{found.rows:,} rows, {found.questions:,} questions; nothing was sent"]
        if found.left_out:
            lines.append(left_out(self.rows.path, found.left_out, read=found.asking))
        if not self.tallies:
            return "\n".join([*lines, "no call leaves this machine: nothing to pay"])
        lines += [line for tally in self.tallies for line in self._lines(tally)]
        if self.scale > 1:
            lines.append(f"from {self.sampled:,} questions of rows drawn at random, scaled up")
        return "\n".join(lines)

    def _lines(self, tally: Tally) -> list[str]:
        calls, paid = round(tally.calls * self.scale), round(tally.paid * self.scale)
        read, most = tally.read * self.scale, tally.most_read * self.scale
        written = tally.most_written * self.scale
        return [
            f"{tally.name}: {calls:,} calls{f', {paid:,} more are paid already' if paid else ''}",
            f"  tokens in about {read:,.0f} (4 bytes each), never more than {most:,.0f}",
            f"  tokens out at most {written:,.0f}",
            f"  {self._money(tally)}",
        ]

    def _money(self, tally: Tally) -> str:
        price = tally.price
        if price is None:
            return "money unknown: set price_in and price_out, per million tokens"
        read = price.of(1, 0) * tally.read * self.scale
        written = price.of(0, 1) * tally.most_written * self.scale
        most = price.of(1, 0) * tally.most_read * self.scale + written
        return (
            f"money about {read:.4g} for what is read and at most {written:.4g} for what is "
            f"written; retries aside, never more than {most:.4g}"
        )


def estimate(labelling: Labelling, rows: Rows, *, seed: int = 0) -> Estimate:
    """Reads every row, writes the prompts of a sample, and asks nobody."""
    found = survey(rows, rows.files(), keep=SAMPLE, seed=seed)
    questions = [question for row in found.sample for question in row.questions]
    endpoints: list[Unsent] = []
    silent = _silent(labelling.judge, endpoints)
    if endpoints:
        with tempfile.TemporaryDirectory() as folder, Run(Path(folder), seed=seed) as run:
            answering(silent.open(run), rows.ask)(questions)
    tallies = [tally for one in endpoints for tally in one.tallies]
    return Estimate(rows=rows, found=found, sampled=len(questions), tallies=tallies)


def _silent(part: Any, endpoints: list[Unsent]) -> Any:
    """The same judge over models that say nothing and cost nothing; gathers the endpoints."""
    # these take seconds, and labelling has no need of them
    from solon.engines.local import Transformer
    from solon.engines.vllm import Vllm

    if isinstance(part, Endpoint):
        endpoints.append(Unsent(endpoint=part))
        return endpoints[-1]
    if isinstance(part, Transformer | Vllm):
        return Mute(name=part.name, longest=part.max_new_tokens)
    if isinstance(part, OnRay):  # what is only counted needs no cluster
        return _silent(part.inner, endpoints)
    if isinstance(part, tuple):
        return tuple(_silent(one, endpoints) for one in part)
    if not is_dataclass(part) or isinstance(part, type):
        return part
    held = {field.name: getattr(part, field.name) for field in fields(part) if field.init}
    silent = {name: _silent(value, endpoints) for name, value in held.items()}
    changed = {name: value for name, value in silent.items() if value != held[name]}
    return replace(part, **changed) if changed else part


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """A local model as far as a count of another's calls needs one."""

    name: str
    """Of the model that is not loaded."""
    longest: int
    """Tokens that it would write at most."""

    @property
    def id(self) -> str:
        return self.name

    def open(self, run: Run, /) -> Mute:
        del run
        return self

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        said = WORD * self.longest
        return [
            Group(completions=tuple(Completion(prompt=one, text=said) for _ in range(n)))
            for one in prompts
        ]

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...]]:
        del cue
        return [(0.0,) * len(choices) for _ in prompts]

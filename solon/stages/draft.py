"""Drafting: each prompt answered by several models, each told to follow one principle."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from numpy.random import default_rng

from solon.errors import SettingError
from solon.records import Completion, Message, Prompt
from solon.run.run import Run
from solon.seams.feedback import Policy, Prompts
from solon.text.template import read

PRINCIPLES = ("helpfulness", "truthfulness", "honesty", "calibration")
# By data set, as we remember the authors' code; only ShareGPT's shares (below) were checked.
MIXES: Mapping[str, tuple[float, ...]] = {
    "flan": (0.8, 0.0, 0.0, 0.2),
    "evol_instruct": (1.0, 0.0, 0.0, 0.0),
    "truthful_qa": (0.0, 0.5, 0.45, 0.05),
    "false_qa": (0.0, 0.5, 0.45, 0.05),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The completions of one prompt, without the principles that their models were told to follow.

    Example:
        Drafted(prompt=p, completions=(a, b), principles=("honesty", "helpfulness"))
    """

    prompt: Prompt
    completions: tuple[Completion, ...]
    principles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Answer prompts with several models."""

    prompts: int = 1024
    """Prompts that are answered."""
    models: int = 4
    """Models drawn for each prompt, without replacement while the pool has as many."""
    principles: tuple[str, ...] = PRINCIPLES
    """Principles, one drawn for each completion: packaged names, or paths that end in .md."""
    shares: tuple[float, ...] = (0.6, 0.2, 0.18, 0.02)
    """How often each of them is drawn."""
    mixes: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: MIXES)
    """Other shares, by the name of the data set that a prompt's row gives as ``dataset``."""
    chunk: int = 64
    """Prompts whose completions become durable together."""

    def __call__(self, run: Run, pool: Sequence[Policy], prompts: Prompts) -> list[Drafted]:
        """Completions that failed are left out and counted; so are prompts with fewer than two.

        Records keep each completion as it was drawn, under the prompt with its principle.
        """
        self._check(pool)
        wanted = prompts.take(self.prompts)
        draw = partial(self._draw, run, pool)
        said = run.map("drafts", draw, wanted, chunk=self.chunk)
        starts = range(0, len(said), self.models)
        found = [
            _drafted(prompt, said[start : start + self.models])
            for prompt, start in zip(wanted, starts, strict=True)
        ]
        kept = [one for one in found if len(one.completions) > 1]
        failed = len(said) - sum(len(one.completions) for one in found)
        run.log(0, drafted=len(said) - failed, failed=failed, prompts=len(kept))
        return kept

    def _draw(self, run: Run, pool: Sequence[Policy], batch: Sequence[Prompt]) -> list[Completion]:
        """Each model is asked once for all that it owes this batch."""
        plans = [list(self._plan(run, prompt, len(pool))) for prompt in batch]
        owed: defaultdict[int, Counter[Prompt]] = defaultdict(Counter)
        for model, asked in (item for plan in plans for item in plan):
            owed[model][asked] += 1
        given = {
            (model, asked): iter(texts)
            for model, counts in sorted(owed.items())
            for asked, texts in _answers(pool[model], counts)
        }
        return [next(given[item]) for plan in plans for item in plan]

    def _plan(self, run: Run, prompt: Prompt, pool: int) -> Iterator[tuple[int, Prompt]]:
        """The models drawn for a prompt, each with the prompt as that model is asked it."""
        generator = default_rng(run.seed_for("draft", prompt.id))
        drawn = generator.choice(pool, self.models, replace=pool < self.models)
        shares = self.mixes.get(prompt.fact("dataset"), self.shares)
        names = generator.choice(self.principles, self.models, p=[s / sum(shares) for s in shares])
        for model, name in zip(drawn.tolist(), names.tolist(), strict=True):
            yield model, steered(prompt, name)

    def _check(self, pool: Sequence[Policy]) -> None:
        if not pool or self.models < 2:
            raise SettingError("draft: expected a model to ask, and at least 2 completions each")
        for name, shares in {"shares": self.shares, **self.mixes}.items():
            if len(shares) != len(self.principles) or min(shares) < 0 or not sum(shares):
                raise SettingError(
                    f"draft.{name}: expected a share for each of {len(self.principles)} principles "
                    f"({', '.join(self.principles)}), got {shares}"
                )


def steered(prompt: Prompt, principle: str) -> Prompt:
    """The prompt after a system turn that holds the principle's words; a fact names it."""
    name = principle if principle.endswith(".md") else f"principle/{principle}"
    told = Message(role="system", text=read(name).strip())
    return Prompt(
        id=f"{prompt.id}+{principle}",
        messages=(told, *prompt.messages),
        facts=(*prompt.facts, ("principle", principle)),
    )


def _answers(
    policy: Policy, counts: Counter[Prompt]
) -> Iterator[tuple[Prompt, tuple[Completion, ...]]]:
    """Each prompt as often as it is owed: siblings, so that no draw is given twice."""
    for n in sorted(set(counts.values())):
        asked = [prompt for prompt, count in counts.items() if count == n]
        for prompt, group in zip(asked, policy.sample(asked, n=n), strict=True):
            yield prompt, group.completions


def _drafted(prompt: Prompt, said: Sequence[Completion]) -> Drafted:
    """Log-probabilities go: they are those under the prompt with its principle."""
    kept = [one for one in said if one.finish != "filter" and one.text.strip()]
    return Drafted(
        prompt=prompt,
        completions=tuple(replace(one, prompt=prompt, tokens=(), logps=()) for one in kept),
        principles=tuple(one.prompt.fact("principle") for one in kept),
    )

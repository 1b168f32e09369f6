"""One run of one recipe on one bench, from the command to the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console

from solon.bench.auditing import audit_run
from solon.bench.bench import Bench, compose
from solon.bench.closing import close
from solon.bench.named import named
from solon.bench.recovering import close_tasks
from solon.bench.sights import Disagreement, Drift, Exploited, HeldOut
from solon.bench.watching import Sight, Watch, WatchPairs, clean
from solon.catalogue import find
from solon.engines.sharded import joined
from solon.objectives.pairwise import Pairwise
from solon.report import write_report
from solon.report.console import closing_table
from solon.run.display import Display
from solon.run.run import Run
from solon.run.start import find_folder, write_manifest
from solon.stages.prefer import Prefer


@dataclass(frozen=True, kw_only=True)
class Session:
    """A recipe with its parts, and where it runs.

    Example:
        Session.find("canonical", "lab", {"climb.steps": "20"}).run()
    """

    recipe: Any
    bench: Bench
    seed: int = 0
    root: Path = Path("runs")

    @classmethod
    def find(
        cls,
        recipe: str,
        bench: str = "lab",
        changes: Mapping[str, str] | None = None,
        *,
        seed: int = 0,
        root: Path = Path("runs"),
    ) -> Session:
        """By name, with the changes that the shell asks for."""
        made, changed = compose(find("recipes", recipe).load(), named(bench), changes or {})
        return cls(recipe=made, bench=changed, seed=seed, root=root)

    def run(self, *, fresh: bool = False, quiet: bool = False, budget: float | None = None) -> Path:
        """Runs the recipe (or goes on where it stopped), closes the books, writes the page.

        All processes that a launcher started together take part; the first one writes.
        """
        with joined() as ranks:
            folder = ranks.agreed(lambda: self._begin(fresh=fresh))
            display = Display(quiet=quiet or bool(ranks.rank))
            display.title(f"{folder}")
            with Run(folder, seed=self.seed, display=display, budget=budget) as run:
                self.watch(run)
                self.recipe(run)
                summary = self.close(run)
                ranks.gathered(None)  # nobody writes any more
                ranks.agreed(lambda: audit_run(run, self.bench))
            page = ranks.agreed(lambda: write_report(folder))
        if not display.quiet:
            console = Console()
            if summary["rows"]:
                console.print(closing_table(summary))
            console.print(f"the whole story: {page}", soft_wrap=True)
        return folder

    def _begin(self, *, fresh: bool) -> Path:
        """The run's folder, with its manifest."""
        bench, guard = self.bench.name, self.bench.guard
        folder = find_folder(
            self.root, self.recipe, bench=bench, seed=self.seed, fresh=fresh, guard=guard
        )
        write_manifest(folder, self.recipe, bench=bench, seed=self.seed, guard=guard)
        return folder

    def watch(self, run: Run) -> None:
        """Looks at the policy while it trains, at gold where it is known; lets the guard ring."""
        bench = self.bench
        if not trains_policy(self.recipe):
            return
        run.guard(bench.guard)
        asked = bench.tests or bench.prompts
        if asked is not None:
            prompts = tuple(asked.open(run).take(bench.watch, split="test"))
            watch = Watch(
                prompts=prompts, measure=bench.measure, run=run, sights=sights(run, bench)
            )
            run.watch(watch, every=bench.watch_every)
        if bench.world is not None and bench.questions is not None and learns_pairs(self.recipe):
            gold = bench.world.open(run).gold
            fresh = clean(bench.questions(run.seed_for("fresh pairs")), gold)
            run.watch(WatchPairs(run=run, fresh=fresh, gold=gold), every=bench.watch_every)

    def close(self, run: Run) -> Any:
        """The closing table, on test prompts."""
        if not trains_policy(self.recipe):
            with run.stage("closing"):
                return close_tasks(run, self.bench)
        asked = self.bench.tests or self.bench.prompts
        if asked is None:
            run.note("no test prompts, so nothing was measured (prompts.path=FILE has some)")
            return {"columns": [], "rows": [], "notes": []}
        with run.stage("closing"):
            prompts = asked.open(run).take(self.bench.evaluate, split="test")
            return close(run, self.bench, prompts)


def sights(run: Run, bench: Bench) -> tuple[Sight, ...]:
    """What this bench lets a watcher see of a policy beside its start."""
    found: list[Sight] = [Drift()]
    if bench.held_out is not None:
        found.append(HeldOut(judge=bench.held_out.open(run)))
    if bench.probes:
        found.append(Disagreement(rewards=tuple(one.open(run) for one in bench.probes)))
    if bench.exploits is not None:
        found.append(Exploited(shows=bench.exploits))
    return tuple(found)


def trains_policy(recipe: Any) -> bool:
    """False for a recipe of classifiers, which has nothing to sample from."""
    return any(one.name == "policy" for one in fields(recipe))


def learns_pairs(recipe: Any) -> bool:
    """True where the policy itself is fitted to preferences, so that its margins mean something."""
    return any(isinstance(getattr(recipe, one.name), Prefer | Pairwise) for one in fields(recipe))

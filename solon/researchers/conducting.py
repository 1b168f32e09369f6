"""A campaign from the command to its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from solon.bench.bench import Bench, compose_bench, fill, for_recipe, head
from solon.bench.named import named
from solon.bench.showing import print_settings, settings
from solon.errors import RunError
from solon.report.account import flat
from solon.researchers.campaign import Campaign
from solon.researchers.console import closing, remarks
from solon.researchers.outcome import Outcome
from solon.researchers.page import write_page
from solon.researchers.posing import Posing
from solon.run.display import Display
from solon.run.run import Run
from solon.run.spec import digest_of, override, plain
from solon.run.start import find_folder, write_manifest

PARTS = ("tasks", "weak", "strong")


def conduct(
    on: str,
    changes: Mapping[str, str],
    *,
    seed: int = 0,
    out: Path | None = None,
    root: Path = Path("runs"),
    quiet: bool = False,
) -> Path:
    """Runs the campaign, or goes on with it where it stopped; its folder, with its page."""
    campaign, bench = composed(on, changes)
    campaign.check()
    folder = out or find_folder(root, campaign, bench=bench, seed=seed)
    refuse_other(folder, campaign, bench=bench, seed=seed)
    write_manifest(folder, campaign, bench=bench, seed=seed)
    display = Display(quiet=quiet)
    with Run(folder, seed=seed, display=display) as run:
        display.title(f"{folder}")
        if campaign.sandbox.kind == "process":
            display.note(f"sandbox: {campaign.sandbox.weakness}")
        campaign(run)
        outcome = Outcome.of(folder)
        page = write_page(folder, outcome)
    if not quiet:
        console = Console()
        console.print(closing(outcome))
        for line in (*remarks(outcome), f"the whole story: {page}"):
            console.print(line, soft_wrap=True, highlight=False, markup=False)
    return folder


def composed(on: str, changes: Mapping[str, str]) -> tuple[Campaign, str]:
    """The campaign on a bench's tasks, supervisor and student, and the bench's name."""
    theirs = {key: text for key, text in changes.items() if head(key) in PARTS}
    own = {key: text for key, text in changes.items() if head(key) not in PARTS}
    bench = compose_bench(_with_bags(for_recipe(named(on), "weak_to_strong")), theirs)
    return override(Campaign(posing=fill(Posing, bench)), own), bench.name


def _with_bags(bench: Bench) -> Bench:
    """Texts too can be posed: one who knows sixty words supervises one who knows them all."""
    from solon.bench.files import BAG
    from solon.engines.classifiers import Bag

    own = {
        "weak": {"words": replace(BAG, features=Bag(words=60, ngrams=1))},
        "strong": {"bag": BAG},
    }
    choices = {role: {**named, **bench.choices.get(role, {})} for role, named in own.items()}
    return replace(bench, choices={**bench.choices, **choices})


def refuse_other(folder: Path, campaign: Campaign, *, bench: str, seed: int) -> None:
    """RunError where the folder holds what this campaign would not go on with."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise RunError(f"{folder}: expected a campaign or an empty folder, got other files")
        return
    held: dict[str, Any] = orjson.loads(manifest.read_bytes())
    if held["digest"] == digest_of(campaign) and (held["bench"], held["seed"]) == (bench, seed):
        return
    theirs = dict(flat({"seed": held["seed"], **held["settings"]}))
    ours = dict(flat({"seed": seed, **plain(campaign)}))
    differ = next((key for key in ours | theirs if ours.get(key) != theirs.get(key)), "bench")
    raise RunError(
        f"{folder}: expected the settings of the campaign that it holds, got others "
        f"({differ}: {theirs.get(differ, held['bench'])} there, {ours.get(differ, bench)} here)"
    )


def show_settings(on: str, changes: Mapping[str, str]) -> None:
    """Prints every key that ``solon research`` takes, with its default on that bench."""
    print_settings(Console(), settings(composed(on, changes)[0]))


def rewritten(folder: Path) -> Path:
    """The page of a campaign that is not at work, written again."""
    with Run(folder):
        return write_page(folder, Outcome.of(folder))

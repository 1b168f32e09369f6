"""What a policy learnt of preferences, on pairs that its run kept aside, and what less would do.

    python scripts/heldout_pairs.py runs/2026-08-23-preference-local-7f3a9c21-s0 ...

For each run: how often the result's log-ratio to the start is greater for the chosen answer; how
often the start alone finds it likelier (a token); and three shortcuts: the longer answer, the
shorter one, and the one that stands in more of the pairs (a baseline that everyone is compared
with). 95 % intervals; pairs of dialogues that begin alike are one cluster.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from solon.engines.local import Transformer
from solon.judges.prompts import opening
from solon.records import Preference
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.fit_reward import both, split
from solon.stages.prefer import implicit_margins
from solon.statistics import Interval, mean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="finished runs of preference")
    for folder in parser.parse_args().runs:
        with Run(folder, seed=manifest(folder)["seed"]) as run:
            report(run)


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def report(run: Run) -> None:
    data: list[Preference] = read_records(run.dir / "records" / "preferences")
    share = manifest(run.dir)["settings"]["prefer"]["holdout"]
    held, kept = split(data, share, seed=run.seed_for("holdout"))
    start, final = (
        Transformer(model=str(run.dir / "policies" / name), max_new_tokens=8).open(run)
        for name in ("sft", "final")
    )
    often = Counter(text.text for text in both(data))
    tokens = [a / b for a, b in zip(start.logp(both(held)), start.lengths(both(held)), strict=True)]
    rows = {
        "log-ratio": implicit_margins(final, start, held),
        "start alone": [a - b for a, b in zip(tokens[::2], tokens[1::2], strict=True)],
        "longer": [len(p.chosen.text) - len(p.rejected.text) for p in held],
        "shorter": [len(p.rejected.text) - len(p.chosen.text) for p in held],
        "commoner": [often[p.chosen.text] - often[p.rejected.text] for p in held],
    }
    print(f"{run.dir.name}: {len(held)} pairs kept aside, {len(kept)} learnt from")
    for name, margins in rows.items():
        print(f"  {name:<12} {told(right(margins, held))}")


def right(margins: Sequence[float], held: Sequence[Preference]) -> Interval:
    """The share of margins above 0, ties half."""
    won = [(1 + (margin > 0) - (margin < 0)) / 2 for margin in margins]
    return mean(won, [opening(one.chosen.prompt) for one in held])


def told(found: Interval) -> str:
    return f"{found.estimate:.1%} ({found.low:.1%} to {found.high:.1%})"


if __name__ == "__main__":
    main()

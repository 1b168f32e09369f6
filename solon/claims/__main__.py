"""python -m solon.claims [NAME ...]: runs the claims and writes docs/claims.md."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.console import Console

from solon.catalogue import entries, find
from solon.claims._claim import Outcome, write_table
from solon.run.shards import read_records, write_records

ROOT = Path("runs") / "claims"
TABLE = Path("docs") / "claims.md"


def main(names: list[str]) -> None:
    """All claims, or those named; what was run before is not run again."""
    console = Console()
    for entry in [find("claims", name) for name in names] or entries("claims"):
        began = time.monotonic()
        console.print(f"{entry.name}: {entry.summary}", highlight=False)
        outcomes: list[Outcome] = list(entry.load()()(ROOT))
        for one in outcomes:
            found = one.finding
            figures = f"{found.estimate:.3f} ({found.low:.3f} to {found.high:.3f}, n={found.n})"
            console.print(f"  {one.verdict:<13}{one.says}: {figures} {found.note}", highlight=False)
        console.print(f"  {time.monotonic() - began:.0f} s", style="dim")
        keep(entry.name, outcomes)
    write_table(TABLE, kept(), "make claims")
    console.print(f"the table: {TABLE}")


def keep(name: str, outcomes: list[Outcome]) -> None:
    """Findings as records, so that the table of all claims can be written after any one of them."""
    write_records(ROOT / "outcomes" / name, [one.finding for one in outcomes])
    (ROOT / "outcomes" / name / "published.txt").write_text(
        "\n".join(one.published for one in outcomes)
    )


def kept() -> dict[str, list[Outcome]]:
    """The outcomes of every claim that has been run."""
    found: dict[str, list[Outcome]] = {}
    for entry in entries("claims"):
        folder = ROOT / "outcomes" / entry.name
        if folder.exists():
            published = (folder / "published.txt").read_text().split("\n")
            found[entry.name] = [
                Outcome(says=one.quantity, finding=one, published=text)
                for one, text in zip(read_records(folder), published, strict=True)
            ]
    return found


if __name__ == "__main__":
    main(sys.argv[1:])

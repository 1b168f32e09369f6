"""AlpacaEval's outputs of some models (or all), beside the baseline's, as annotated pairs.

    python scripts/alpaca_pairs.py DATA/alpaca_eval gemma-2b-it phi-2-sft > pairs.jsonl
    python scripts/alpaca_pairs.py DATA/alpaca_eval --longest 500 > pairs.jsonl

Each line is a row of upstream's annotations: instruction, output_1 (the baseline's), output_2,
preference (1 + the annotator's probability that output_2 is better).
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with instructions and outputs")
    parser.add_argument("models", nargs="*", help="whose outputs; all where none is named")
    parser.add_argument("--longest", type=int, default=0, help="most characters of either output")
    said = parser.parse_args()
    for row in rows(said.folder, said.models or everyone(said.folder)):
        if not said.longest or max(len(row["output_1"]), len(row["output_2"])) <= said.longest:
            sys.stdout.write(json.dumps(row) + "\n")


def everyone(folder: Path) -> list[str]:
    found = (folder / "outputs_with_preferences").glob("*.jsonl.gz")
    return sorted(path.name.removesuffix(".jsonl.gz") for path in found)


def rows(folder: Path, models: list[str]) -> Iterator[dict[str, Any]]:
    """The pairs of each model, in the order of the instructions."""
    asked = {one["iid"]: one for one in read(folder / "instructions.jsonl.gz")}
    for model in models:
        for one in read(folder / "outputs_with_preferences" / f"{model}.jsonl.gz"):
            yield {
                "instruction": asked[one["iid"]]["instruction"],
                "output_1": asked[one["iid"]]["baseline_output_gpt4_1106_preview"],
                "output_2": one["output"],
                "generator_2": model,
                "preference": one["preference"],
            }


def read(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


if __name__ == "__main__":
    main()

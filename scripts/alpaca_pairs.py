"""AlpacaEval's outputs of one model, beside the baseline's, as annotated pairs.

    python scripts/alpaca_pairs.py DATA/alpaca_eval gemma-2b-it phi-2-sft > pairs.jsonl

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
    parser.add_argument("models", nargs="+", help="whose outputs")
    said = parser.parse_args()
    for row in rows(said.folder, said.models):
        sys.stdout.write(json.dumps(row) + "\n")


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

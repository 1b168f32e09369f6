"""How much of a reward model's accuracy words alone can reach, on the very pairs it was tested on.

    python scripts/heldout_baseline.py runs/2026-08-23-canonical-local-7f3a9c21-s0 ...

For each run: the accuracy of its reward model on the pairs that it kept aside, and that of a
Bradley-Terry model on TF-IDF features (one and two words), fitted on the other pairs: logistic
regression without intercept on the difference of the two answers' features. 95 % intervals; pairs
of dialogues that begin alike are one cluster. Needs scikit-learn (``pip install solon[dev]``).
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from solon.judges.prompts import opening
from solon.records import Preference
from solon.run.run import Run
from solon.run.shards import read_records
from solon.stages.fit_reward import split
from solon.statistics import Interval, proportion, wilson


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="finished runs of canonical")
    for folder in parser.parse_args().runs:
        held, kept = apart(folder)
        right = baseline(kept, held)
        words = proportion(right, [opening(one.chosen.prompt) for one in held])
        shorter = proportion([len(p.chosen.text) < len(p.rejected.text) for p in held])
        print(f"{folder.name}: {len(held)} pairs kept aside, {len(kept)} learnt from")
        print(f"  reward model      {told(learnt(folder, len(held)))}")
        print(f"  TF-IDF            {told(words)}")
        print(f"  the shorter one   {told(shorter)}")


def apart(folder: Path) -> tuple[list[Preference], list[Preference]]:
    """(held, kept): the run's own split of its preferences."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    with Run(folder, seed=manifest["seed"]) as run:
        seed = run.seed_for("holdout")
    data = read_records(folder / "records" / "preferences")
    return split(data, manifest["settings"]["fit_reward"]["holdout"], seed=seed)


def learnt(folder: Path, n: int) -> Interval:
    """The reward model's accuracy, as the run measured it."""
    lines = map(json.loads, (folder / "metrics.jsonl").read_text("utf-8").splitlines())
    [found] = [line for line in lines if "heldout_accuracy" in line]
    assert found["heldout"] == n, "the same pairs"
    return wilson(found["heldout_accuracy"] * n, n)


def baseline(kept: Sequence[Preference], held: Sequence[Preference]) -> list[bool]:
    """Whether the chosen answer of each held pair has the higher TF-IDF score."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    words.fit([text for one in kept for text in (one.chosen.text, one.rejected.text)])
    features = [
        words.transform([one.chosen.text for one in part])
        - words.transform([one.rejected.text for one in part])
        for part in (kept, held)
    ]
    turned = np.where(np.arange(len(kept)) % 2, 1, -1)  # both classes must occur
    fitted = LogisticRegression(fit_intercept=False, max_iter=1000)
    fitted.fit(features[0].multiply(turned[:, None]).tocsr(), turned)
    return list(fitted.decision_function(features[1]) > 0)


def told(found: Interval) -> str:
    return f"{found.estimate:6.1%}  ({found.low:.1%} to {found.high:.1%})"


if __name__ == "__main__":
    main()

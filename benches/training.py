"""What a step of learning costs: Solon's engine beside TRL and beside a bare PyTorch loop.

    python benches/training.py --setup [--quick] [--only METHOD SIZE] [--long]

The unit is CPU seconds of one thread, the three taking turns within one process: so the ratios hold
on a busy machine. Tables and JSON lines are written to bench-out/.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contenders import Step
    from workload import Work

ROOT = Path(__file__).resolve().parents[1]
PINS = ["trl==1.16.0", "transformers==5.23.0", "datasets==5.2.0", "accelerate==1.15.0",
        "peft==0.21.2"]  # fmt: skip
QUIET = {
    "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
    "TRL_EXPERIMENTAL_SILENCE": "1", "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore",
}  # fmt: skip
METHODS = ("supervised", "reward", "preference", "rloo", "grpo")
WARM = 1  # steps that are not counted
STEPS = {"1.5M": 16, "25M": 6}  # half of them online, where a step is many tokens
NAMES = ("TRL", "bare", "Solon")
COLUMNS = ("model", "method", "tokens", "TRL ms", "bare ms", "Solon ms", "TRL / Solon",
           "TRL / bare", "loss gap", "norm gap")  # fmt: skip


def set_up(arguments: list[str]) -> None:
    """Makes the environment where there is none, and begins again inside it."""
    home = ROOT / "bench-out" / "venv"
    python, ready = home / "bin" / "python", home / ".ready"
    if not ready.exists():
        pip = [str(python), "-m", "pip", "install", "-q"]
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([*pip, "torch==2.13.0", *PINS], check=True)
        subprocess.run([*pip, "-c", "constraints.txt", "-e", "."], check=True, cwd=ROOT)
        ready.touch()
    os.chdir(ROOT)
    os.execve(python, [str(python), __file__, *arguments], os.environ | QUIET)


def one(work: Work, steps: int) -> dict[str, Any]:
    """All three through the same steps, by turns."""
    from contenders import Bare, Material, Solon
    from peer import Between, trl_trainer
    from workload import model

    from solon.run.run import Run

    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        with Run(where / "run", cache=where / "replies.sqlite") as run:
            material = Material(work, steps + WARM, model(work.size, run))
            rivals = [Solon(material, run), Bare(material)]
            took: list[list[Step]] = [[], []]

            def others(number: int) -> None:
                for turn in (0, 1) if number % 2 else (1, 0):
                    took[turn].append(rivals[turn].step(number))

            trainer = trl_trainer(material)
            between = Between(trainer, material, others)
            trainer.train()
    by_name = {"TRL": between.steps[WARM:], "bare": took[1][WARM:], "Solon": took[0][WARM:]}
    return summary(work, by_name) | {"trained": tokens_of(material)}


def tokens_of(material: Any) -> float:
    """Tokens of prompts and answers in a counted step, padding not among them."""
    steps = range(WARM, material.steps)
    rows: list[tuple[list[int], list[int]]] = []
    from contenders import SIBLINGS
    from workload import completions, preferences

    if material.work.online:
        for step in steps:
            asked = material.part(material.prompts, step)
            found = enumerate(material.drawn[step])
            rows += [(material.ids(asked[i // SIBLINGS]), ids) for i, ids in found]
    elif material.work.method == "supervised":
        texts = completions(material.prompts, seed=2)
        rows = [material.row(c) for step in steps for c in material.part(texts, step)]
    else:
        pairs = preferences(material.prompts)
        both = [p for step in steps for p in material.part(pairs, step)]
        rows = [material.row(c) for p in both for c in (p.chosen, p.rejected)]
    return sum(len(prompt) + len(answer) for prompt, answer in rows) / len(steps)


def summary(work: Work, steps: dict[str, list[Step]]) -> dict[str, Any]:
    trl = steps["TRL"]
    found: dict[str, Any] = {"method": work.name, "size": work.size, "steps": len(trl)}
    for name, own in steps.items():
        pairs = list(zip(trl, own, strict=True))
        found[name] = {
            "ms": 1e3 * median(step.cpu for step in own),
            "ratio": median(a.cpu / b.cpu for a, b in pairs),
            "of_sums": sum(a.cpu for a in trl) / sum(b.cpu for b in own),
            "loss_gap": max(abs(a.loss - b.loss) for a, b in pairs),
            "norm_gap": max(abs(a.norm - b.norm) / a.norm for a, b in pairs),
        }
        if work.online:
            rate = sum(step.tokens for step in own) / sum(step.sampling for step in own)
            found[name]["sampled_per_second"] = rate
    return found


def tables(found: list[dict[str, Any]]) -> str:
    lines = headed(COLUMNS)
    for row in found:
        trl, bare, solon = (row[name] for name in NAMES)
        lines.append(
            f"| {row['size']} | {row['method']} | {row['trained']:.0f} | {trl['ms']:.0f} "
            f"| {bare['ms']:.0f} | {solon['ms']:.0f} "
            f"| **{solon['ratio']:.2f}** ({solon['of_sums']:.2f}) "
            f"| {bare['ratio']:.2f} ({bare['of_sums']:.2f}) "
            f"| {solon['loss_gap']:.0e} | {solon['norm_gap']:.0e} |"
        )
    online = [row for row in found if "sampled_per_second" in row["TRL"]]
    if online:
        lines += ["", *headed(("model", "method", *NAMES))]
    for row in online:
        rates = " | ".join(f"{row[name]['sampled_per_second']:.0f}" for name in NAMES)
        lines.append(f"| {row['size']} | {row['method']} | {rates} |")
    return "\n".join(lines)


def headed(columns: Sequence[str]) -> list[str]:
    right = "--:|" * (len(columns) - 2)
    return [f"| {' | '.join(columns)} |", f"|---|---|{right}"]


def whole_table(given: argparse.Namespace) -> None:
    """Each row in a process of its own: no row inherits another's memory."""
    file = ROOT / "bench-out" / "training.jsonl"
    file.unlink(missing_ok=True)
    for size in STEPS:
        for method in METHODS:
            for long in (False, True) if method in ("rloo", "grpo") else (False,):
                row = [sys.executable, __file__, "--only", method, size]
                row += ["--long"] * long + ["--quick"] * given.quick
                subprocess.run(row, check=True)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    (ROOT / "bench-out" / "training.md").write_text(tables(rows) + "\n")
    print("\n" + tables(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setup", action="store_true", help="in an environment of its own")
    parser.add_argument("--quick", action="store_true", help="a third of the steps")
    parser.add_argument("--only", nargs=2, metavar=("METHOD", "SIZE"))
    parser.add_argument("--long", action="store_true", help="prompts of 150 words (with --only)")
    given = parser.parse_args()
    if given.setup:
        set_up([argument for argument in sys.argv[1:] if argument != "--setup"])
    if given.only is None:
        whole_table(given)
        return
    import torch
    import transformers
    from workload import Work

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    method, size = given.only
    work = Work(method=method, size=size, long=given.long)
    steps = STEPS[size] // (2 if work.online else 1) // (3 if given.quick else 1)
    row = one(work, steps)
    with (ROOT / "bench-out" / "training.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(tables([row]), flush=True)


if __name__ == "__main__":
    main()

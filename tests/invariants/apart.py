"""What processes do that have no whole copy of the weights; a script for torchrun."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from alive import Alive
from several import PAIRS, PROMPTS, SMALL, TEXTS, opened

from solon.engines.local import LocalPolicy, RewardTransformer, Shape
from solon.engines.local.parted import save_parted
from solon.engines.local.tensors import size_of
from solon.engines.sharded import joined
from solon.objectives.pairwise import DPO
from solon.records import Completion, Prompt
from solon.run import lines
from solon.run.checkpoints import kept
from solon.run.ranks import Ranks
from solon.run.run import Run

# Sixteen layers of which each is a seventeenth of the weights.
DEEP = Shape(hidden=128, layers=16, heads=4, context=64)
SHORT = [Completion(prompt=Prompt.of("a b"), text="c d")]


def said(policy: LocalPolicy) -> dict[str, Any]:
    """Scores and draws, of more requests than processes and of fewer."""
    return {
        "logp": policy.logp(TEXTS),
        "fewer": policy.logp(TEXTS[:1]),
        "none": policy.logp([]),
        "choose": policy.choose(PROMPTS, ("a", "b b")),
        "drawn": [c.tokens for g in policy.sample(PROMPTS, n=3) for c in g.completions],
        "one": policy.sample(PROMPTS[:1])[0].completions[0].tokens,
    }


def learnt(policy: LocalPolicy) -> list[Any]:
    """An update of weights that have sampled; their anchor samples before it scores."""
    anchor = policy.freeze()
    drawn = [c.tokens for g in anchor.sample(PROMPTS, n=2) for c in g.completions]
    found = [policy.fit_pairs(PAIRS, DPO(beta=0.5), anchor=anchor) for _ in range(2)]
    return [drawn, found, policy.logp(TEXTS), anchor.logp(TEXTS)]


def adopted(run: Run, policy: LocalPolicy) -> list[Any]:
    """A reward that begins from the policy's weights."""
    reward = RewardTransformer().open(run)
    reward.adopt(policy.freeze())
    return list(reward(TEXTS))


def watched(work: Callable[[], Any]) -> tuple[Any, int, int]:
    """What the work gives, the most bytes it held at once, and what it has left."""
    with Alive() as alive:
        made = work()
    return made, alive.most, alive.now


def measured(run: Run, out: Path, ranks: Ranks) -> dict[str, tuple[float, float]]:
    """The most that each piece of work held at once and what it left, in whole models."""
    policy = opened(run, shape=DEEP, sharding="fsdp2")
    whole = sum(size_of(p) for p in policy.voice.decoder.model.parameters())
    found: dict[str, tuple[float, float]] = {}

    def noted(name: str, work: Callable[[], Any]) -> Any:
        made, most, left = watched(work)
        found[name] = most / whole, left / whole
        return made

    noted("score", lambda: policy.logp(SHORT))
    anchor = noted("freeze", policy._freeze)
    noted("anchor", lambda: anchor.logp(SHORT))
    noted("fit", lambda: policy.fit_pairs(PAIRS[:1], DPO(beta=0.5), anchor=anchor))
    with kept(out, ranks) as folder:
        noted("save", lambda: policy.save(folder / "model"))
        noted("checkpoint", lambda: policy.save_state(folder / "state"))
    ranks.agreed(lambda: None)  # the first process has written
    again = opened(run, shape=DEEP, sharding="fsdp2")
    noted("resume", lambda: again.load_state(out / "state"))
    spec = replace(SMALL, model=str(out / "model"), tokenizer="", shape=None, sharding="fsdp2")
    noted("open", lambda: spec.open(run))
    return found


def written(out: Path, policy: LocalPolicy, ranks: Ranks) -> None:
    """A checkpoint, and a folder of many files."""
    with kept(out / "two", ranks) as folder:
        policy.save_state(folder)
        (folder / "many").mkdir()
        save_parted(folder / "many", policy.voice.decoder.model, rank=ranks.rank, size=2000)
        policy.voice.words.tokenizer.save_pretrained(folder / "many")


def main(out: Path) -> None:
    with joined() as ranks:
        found: dict[str, Any] = {}
        with Run(out / "run-two", seed=3) as run:
            for gather in ("whole", "layers"):
                never = opened(run, sharding="fsdp2", gather=gather, packed="never")
                policy = opened(run, sharding="fsdp2", gather=gather)
                found[f"{gather}-never"], found[f"{gather}-auto"] = said(never), said(policy)
                if gather == "layers":
                    found["adopted"] = adopted(run, policy)
                    written(out, policy, ranks)
                found[f"learnt-{gather}"] = learnt(policy)
            folders = {kind: kind for kind in ("tied", "other", "gemma2", "mixtral")}
            for kind, folder in {"many": "two/many", **folders}.items():
                again = opened(
                    run, model=str(out / folder), tokenizer="", shape=None, sharding="fsdp2"
                )
                found[kind] = again.logp(TEXTS)
                with kept(out / "two", ranks) as two:
                    again.save(two / f"{kind}-again")
            found["notes"] = [line["note"] for line in lines.read(out / "run-two" / "notes.jsonl")]
        with Run(out / "run-deep", seed=3) as run:
            found["measured"] = measured(run, out / "deep", ranks)
        (out / f"found-{ranks.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))

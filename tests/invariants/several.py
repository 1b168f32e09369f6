"""What one process and several must agree on; a script for torchrun, and a module for the test."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tiny import tiny

from solon.engines.local import LocalPolicy, Lora, Shape, Transformer
from solon.engines.sharded import joined
from solon.errors import SolonError
from solon.objectives.adam import Adam
from solon.objectives.batch import Loss, TextLogps
from solon.objectives.imitation import NLL
from solon.objectives.pairwise import DPO
from solon.objectives.policy import GRPO, PPO, RLOO
from solon.objectives.unpaired import KTO
from solon.records import Completion, Mark, Preference, Prompt, Rollout
from solon.run.checkpoints import kept
from solon.run.run import Run

SMALL = Transformer(
    shape=Shape(hidden=16, layers=2, heads=4, kv_heads=2, context=64),
    tokenizer=tuple("abcdefgh"),
    max_new_tokens=10,
    tokens_per_chunk=24,  # several chunks, and not as many in each process
)
PROMPTS = [Prompt.of(text) for text in ("a b c", "a", "h g f e d c", "b b", "c a d e")]
ANSWERS = ("a b", "c d e f g a b c d e", "h", "b b b b b", "d")
TEXTS = [Completion(prompt=p, text=t) for p, t in zip(PROMPTS, ANSWERS, strict=True)]
PAIRS = [
    Preference(
        chosen=one,
        rejected=Completion(prompt=one.prompt, text="g h" * number),
        p=1.0 - number / 10,
        source="test",
    )
    for number, one in enumerate(TEXTS, 1)
]
MARKS = [Mark(completion=one, desirable=i % 2 == 0, source="test") for i, one in enumerate(TEXTS)]
STEPS = 3  # of a run of the whole recipe before it is cut off


class Explodes:
    """Not a number for the chunk of the longest text."""

    def __call__(self, x: TextLogps, /) -> Loss:
        bad = x.mask.size(1) >= 10
        return Loss(value=x.logps.sum() * (float("nan") if bad else 1.0), weight=1.0)


class Stopped(Exception):
    """Stands for a kill."""


def opened(run: Run, **changes: Any) -> LocalPolicy:
    policy = replace(SMALL, **changes).open(run)
    policy.optimise(Adam(lr=1e-2, warmup=2))
    return policy


def drawn(policy: LocalPolicy) -> list[Rollout]:
    return [
        Rollout(completion=c, reward=float(c.text.count("a") - len(c.tokens) / 10), group=group)
        for group, siblings in enumerate(policy.sample(PROMPTS, n=3))
        for c in siblings.completions
    ]


def trajectory(policy: LocalPolicy) -> dict[str, Any]:
    """Everything that a learner does, a few times."""
    anchor, said = policy.freeze(), []
    for _ in range(2):
        said.append(policy.fit_texts(TEXTS, NLL()))
    said.append(policy.fit_texts(TEXTS[:1], NLL()))  # fewer rows than processes
    said += [policy.fit_pairs(PAIRS, DPO(beta=0.5), anchor=anchor) for _ in range(2)]
    said.append(policy.fit_marks(MARKS, KTO(beta=0.5), anchor=anchor))
    first = drawn(policy)
    said += [policy.fit_rollouts(first, RLOO(), anchor=anchor) for _ in range(2)]
    said.append(policy.fit_rollouts(drawn(policy), PPO(epochs=2, minibatches=2), anchor=anchor))
    # ratios are means over tokens, this loss over sequences, in chunks of other prompts for two
    policy.voice.tokens_per_chunk = 60
    said.append(policy.fit_rollouts(first, GRPO(), anchor=anchor))
    policy.voice.tokens_per_chunk = SMALL.tokens_per_chunk
    return {
        "metrics": said,
        "tokens": [one.completion.tokens for one in first],
        "logp": policy.logp(TEXTS),
        "anchor": anchor.logp(TEXTS),
        "id": policy.id,
    }


def tied(run: Run, folder: Path, **changes: Any) -> list[Any]:
    """A model whose head is its embedding, in padded batches."""
    policy = replace(
        SMALL, model=str(folder), tokenizer="", shape=None, packed="never", **changes
    ).open(run)
    assert "lm_head.weight" not in policy.voice.decoder.trained()
    policy.optimise(Adam(lr=1e-2))
    return [policy.fit_texts(TEXTS, NLL()) for _ in range(3)] + policy.logp(TEXTS)


def halved(run: Run, **changes: Any) -> list[Any]:
    """A policy of sixteen bits and its value network, on the same texts in any arithmetic."""
    policy = opened(run, dtype="bfloat16", **changes)
    anchor, said = policy.freeze(), []
    for _ in range(3):
        texts = [replace(one, policy=policy.id) for one in TEXTS]
        batch = [Rollout(completion=one, reward=float(i % 3)) for i, one in enumerate(texts)]
        said.append(policy.fit_rollouts(batch, PPO(epochs=1), anchor=anchor))
    return said


def adapted(run: Run) -> list[Any]:
    policy = opened(run, lora=Lora(rank=2))
    anchor = policy.freeze()
    said = [policy.fit_pairs(PAIRS, DPO(beta=0.5), anchor=anchor) for _ in range(3)]
    return [*said, policy.logp(TEXTS), policy.freeze().logp(TEXTS), anchor.logp(TEXTS)]


def refused(policy: LocalPolicy) -> tuple[str, list[float]]:
    """What is said where one chunk's loss is no number, and the weights' word afterwards."""
    try:
        policy.fit_texts(TEXTS, Explodes())
    except SolonError as error:
        return str(error).partition(";")[0], policy.logp(TEXTS)
    return "", []


def onwards(policy: LocalPolicy) -> list[Any]:
    """Two more updates, one of them with the value network."""
    anchor = policy.freeze()
    return [
        policy.fit_pairs(PAIRS, DPO(beta=0.5), anchor=anchor),
        policy.fit_rollouts(drawn(policy), PPO(epochs=1), anchor=anchor),
    ]


def whole_run(folder: Path, *, stop: bool = False) -> dict[str, Any]:
    """The canonical recipe on the tiny bench, perhaps cut off in its last loop."""
    recipe, _ = tiny("canonical", judge="human", climb__steps="6")

    def watcher(step: int, policy: Any) -> dict[str, float]:
        if stop and step == STEPS and "@" in policy.id:
            raise Stopped
        return {"watched": float(len(policy.sample(PROMPTS[:1])[0].completions[0].tokens))}

    with Run(folder, seed=5, checkpoint_seconds=0.0) as run:
        run.watch(watcher, every=1)
        recipe(run)
        final = run.policies["final"]
        return {"id": final.id, "logp": final.logp(TEXTS)}


def main(out: Path) -> None:
    with joined() as ranks:
        found: dict[str, Any] = {}
        for sharding in ("ddp", "fsdp2"):
            with Run(out / f"run-{sharding}", seed=3) as run:
                policy = opened(run, sharding=sharding)
                found[sharding] = trajectory(policy)
                with kept(out / sharding, ranks) as folder:
                    policy.save_state(folder / "state")
                    policy.save(folder / "model")
                found[sharding]["refused"] = refused(policy)
                found[sharding]["onwards"] = onwards(policy)
                found[sharding]["tied"] = tied(run, out / "tied", sharding=sharding)
                found[sharding]["halved"] = halved(run, sharding=sharding)
                other = opened(run, sharding=sharding)
                other.load_state(out / "one" / "state")
                found[sharding]["resumed"] = onwards(other)
        with Run(out / "run-adapter", seed=3) as run:
            found["adapter"] = adapted(run)
        found["run"] = whole_run(out / "cut")
        found["listed"] = sorted(str(path.relative_to(out)) for path in (out / "cut").rglob("*"))
        (out / f"found-{ranks.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

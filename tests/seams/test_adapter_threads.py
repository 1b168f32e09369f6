"""An anchor that shares its model with the policy may be asked while the policy learns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from solon.engines.local import Lora, Shape, Transformer
from solon.engines.local.frozen import FrozenPolicy
from solon.engines.local.policy import LocalPolicy
from solon.objectives.adam import Sgd
from solon.objectives.policy import KL, RLOO
from solon.records import Completion, Prompt, Rollout, flat
from solon.run.run import Run

PROMPTS = [Prompt.of(text) for text in ("a b c", "a", "h g f e d c")]
TINY = Transformer(
    shape=Shape(hidden=32, layers=3, heads=4, context=64),
    tokenizer=tuple("abcdefgh"),
    max_new_tokens=12,
    tokens_per_chunk=64,
    lora=Lora(rank=4),
)


def rollouts(policy: LocalPolicy) -> list[Rollout]:
    return [
        Rollout(completion=one, reward=float(len(one.tokens) % 3) + number, group=group)
        for group, found in enumerate(policy.sample(PROMPTS, n=4))
        for number, one in enumerate(found.completions)
    ]


@contextmanager
def asked_all_the_time(anchor: FrozenPolicy, texts: list[Completion]) -> Iterator[None]:
    ends = threading.Event()

    def ask() -> None:
        while not ends.is_set():
            anchor.sample(PROMPTS[:1])
            anchor.logp(texts)
            anchor._known.clear()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        ends.set()
        asking.join()


@pytest.mark.parametrize("taught", [False, True])  # an anchor without and with an adapter
def test_what_is_learnt_does_not_depend_on_who_asks_the_anchor_meanwhile(
    taught: bool, tmp_path: Path
) -> None:
    def norms(folder: Path, *, asked: bool) -> list[float]:
        with Run(folder, seed=3) as run:
            policy = TINY.open(run)
            policy.optimise(Sgd(lr=0.01))
            objective = RLOO(kl=KL(coefficient=0.1))
            if taught:
                policy.fit_rollouts(rollouts(policy), objective, anchor=policy.freeze())
            anchor = policy.freeze()
            texts = flat(anchor.sample(PROMPTS, n=2))
            found: list[float] = []
            for _ in range(4):
                batch = rollouts(policy)
                if asked:
                    with asked_all_the_time(anchor, texts):
                        found.append(
                            policy.fit_rollouts(batch, objective, anchor=anchor)["grad_norm"]
                        )
                else:
                    found.append(policy.fit_rollouts(batch, objective, anchor=anchor)["grad_norm"])
            return found

    assert norms(tmp_path / "asked", asked=True) == norms(tmp_path / "alone", asked=False)

"""A learner in parts whose samples a server draws: a script for torchrun."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from solon.engines.local import Shape, Transformer
from solon.engines.sharded import joined
from solon.engines.vllm import OnVllm, Server
from solon.run.run import Run
from tests.vllm.taught import PROMPTS, flat, gap, teach

SMALL = Transformer(
    shape=Shape(hidden=16, layers=2, heads=2, context=64),
    tokenizer=tuple("abcdefgh"),
    max_new_tokens=10,
    sharding="fsdp2",
)


def main(url: str, folder: Path) -> None:
    with joined() as ranks, Run(folder / "shared") as run:
        policy = OnVllm(policy=SMALL, sampler=Server(base_url=url)).open(run)
        policy.sample(PROMPTS, n=2)
        teach(policy)
        found = flat(policy.sample(PROMPTS, n=2))
        told = {"gap": gap(policy, found), "tokens": [one.tokens for one in found]}
        (folder / f"{ranks.rank}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

"""A completion that ends with its first token leaves the batch; the others keep their pasts."""

from __future__ import annotations

import math

import pytest
from several import PROMPTS, opened

from solon.objectives.imitation import NLL
from solon.records import Completion, flat
from solon.run.run import Run


@pytest.mark.parametrize("packed", ["auto", "never"])
def test_rows_that_end_at_once_disturb_no_other(run: Run, packed: str) -> None:
    policy = opened(run, packed=packed, tokens_per_chunk=1024)
    for _ in range(6):  # towards empty answers, which are EOS alone
        policy.fit_texts([Completion(prompt=prompt, text="") for prompt in PROMPTS], NLL())
    together = policy.sample(PROMPTS, n=8)
    alone = [policy.sample([prompt], n=8)[0] for prompt in PROMPTS]
    drawn = flat(together)
    assert 0.2 < sum(len(one.tokens) == 1 for one in drawn) / len(drawn) < 0.9
    assert [one.tokens for one in drawn] == [one.tokens for one in flat(alone)]
    for one, logp in zip(drawn, policy.logp(drawn), strict=True):
        assert logp == pytest.approx(math.fsum(one.logps), abs=1e-4)

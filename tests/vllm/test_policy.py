"""A judge that vLLM runs: the same answers, and the same probabilities, as by the local engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from solon.engines.local import Shape, Transformer
from solon.engines.vllm import Vllm
from solon.engines.vllm.choosing import beginnings
from solon.errors import SettingError
from solon.records import Abstains, Prompt
from solon.run.run import Run
from solon.seams.feedback import Chooser, Policy
from tests.vllm.double import LLM

TEXT = "Answer: 1 or 10 or 2. The cat sat on 10 mats.\n"
PROMPTS = [Prompt.of(text) for text in ("The cat", "Answer", "mats or cat " * 40, "")]


@pytest.fixture
def judge(run: Run, tmp_path: Path) -> Transformer:
    (tmp_path / "text.txt").write_text(TEXT * 20)
    made = Transformer(
        shape=Shape(hidden=16, layers=2, heads=2, context=96, vocab=300),
        tokenizer=str(tmp_path / "text.txt"),
        max_new_tokens=8,
    )
    made.open(run).save(tmp_path / "judge")
    settings = {"temperature": 0.0, "max_new_tokens": 8, "max_prompt_tokens": 64}
    return Transformer(model=str(tmp_path / "judge"), name="judge", **settings)


def on_vllm(judge: Transformer) -> Vllm:
    return Vllm(model=judge.model, max_new_tokens=8, max_prompt_tokens=64)


def test_choices_have_the_probabilities_of_the_local_engine(
    run: Run, judge: Transformer, engines: list[LLM]
):
    policy = on_vllm(judge).open(run)
    assert isinstance(policy, Policy)
    assert isinstance(policy, Chooser)
    for choices, cue in ((("1", "2"), " Answer:"), (("1", "10", "2"), ""), (("cat", "mats"), " ")):
        ours = policy.choose(PROMPTS, choices, cue=cue)
        theirs = judge.open(run).choose(PROMPTS, choices, cue=cue)
        assert isinstance(ours[2], Abstains)
        assert ours[2] == theirs[2]
        for mine, other in zip(ours, theirs, strict=True):
            if not isinstance(mine, Abstains):
                assert mine == pytest.approx(other, abs=1e-4)


def test_its_likeliest_answers_are_those_of_the_local_engine(
    run: Run, judge: Transformer, engines: list[LLM]
):
    policy = on_vllm(judge).open(run)
    ours, theirs = policy.sample(PROMPTS), judge.open(run).sample(PROMPTS)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.completions[0].tokens == other.completions[0].tokens
        assert mine.completions[0].logps == pytest.approx(other.completions[0].logps, abs=1e-4)
    assert policy.id.startswith("judge@")
    assert engines[0].load_format == "auto"


def test_a_beginning_is_asked_once_for_all_that_go_on_from_it():
    assert beginnings([(1,), (1, 5), (2, 5), (1, 6)]) == {
        (): [1, 2],
        (1,): [5, 6],
        (2,): [5],
    }


def test_errors_are_one_line(run: Run, judge: Transformer, engines: list[LLM]):
    with pytest.raises(SettingError, match="judge: expected a model"):
        Vllm().open(run)
    with pytest.raises(SettingError, match="context of 96 tokens, got 96"):
        Vllm(model=judge.model, max_new_tokens=96).open(run)

"""Two processes, neither of which ever has all of the weights: over gloo, launched by torchrun."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from agreeing import Told, close, launched, tie
from apart import adopted, learnt, said
from several import SMALL, TEXTS, opened
from transformers import AutoModelForCausalLM, Gemma2Config, MixtralConfig

from solon.engines.local import LocalPolicy, Transformer
from solon.errors import SettingError
from solon.run.run import Run

# Of sixteen layers a pass may hold three; the largest tensor is a seventieth of all, and is held
# up to five times while it is gathered.
LAYERS, TENSORS = 0.2, 0.08


# One whose attention cannot be packed, which shows in the middle of a pass; and one whose experts
# lie otherwise in the model than in its checkpoint.
RELATIVES = {"gemma2": Gemma2Config, "mixtral": MixtralConfig}


def relative(folder: Path, config: type[Any], policy: LocalPolicy) -> None:
    """Random weights of another family, with the policy's tokenizer."""
    tokenizer = policy.voice.words.tokenizer
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config(**sizes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    out = tmp_path_factory.mktemp("apart")
    one: dict[str, Any] = {}
    with Run(out / "run-one", seed=3) as run:
        policy = opened(run)
        one["said"] = said(policy)
        one["adopted"] = adopted(run, policy)
        policy.save_state(out / "one")
        for kind in ("other", "tied"):
            policy.save(out / kind)
        tie(out / "tied")
        for kind in ("other", "tied"):
            one[kind] = Transformer(model=str(out / kind), max_new_tokens=10).open(run).logp(TEXTS)
        one["learnt"] = learnt(policy)
        for kind, config in RELATIVES.items():
            relative(out / kind, config, policy)
            other = Transformer(model=str(out / kind), max_new_tokens=10).open(run)
            one[kind] = other.logp(TEXTS)
    launched(str(Path(__file__).with_name("apart.py")), str(out))
    first, second = (json.loads((out / f"found-{rank}.json").read_text()) for rank in (0, 1))
    assert {**first, "measured": 0} == {**second, "measured": 0}
    return Told(one, first, out)


@pytest.mark.parametrize("way", ["whole-auto", "whole-never", "layers-auto", "layers-never"])
def test_scores_and_draws_are_those_of_one_process(told: Told, way: str) -> None:
    wanted = json.loads(json.dumps(told.one["said"]))
    assert told.two[way]["drawn"] == wanted["drawn"]
    close(told.two[way], wanted)


@pytest.mark.parametrize("gather", ["whole", "layers"])
def test_weights_that_have_sampled_learn(told: Told, gather: str) -> None:
    close(told.two[f"learnt-{gather}"], told.one["learnt"])


def test_a_reward_begins_from_weights_in_parts(told: Told) -> None:
    close(told.two["adopted"], told.one["adopted"])


def test_the_checkpoint_of_two_processes_is_that_of_one_byte_for_byte(told: Told) -> None:
    names = sorted(path.name for path in (told.folder / "one").iterdir())
    assert names == ["optimiser.safetensors", "policy.safetensors", "state.json"]
    for name in names:
        mine, other = (told.folder / one / name for one in ("two", "one"))
        assert mine.read_bytes() == other.read_bytes()


def same(model: Any, other: Any) -> None:
    """Every weight is the other's exactly."""
    mine, others = model.state_dict(), other.state_dict()
    assert mine.keys() == others.keys()
    assert all(torch.equal(weight, others[name]) for name, weight in mine.items())


@pytest.mark.parametrize("kind", ["other", "tied", "many"])
def test_each_process_reads_its_part_of_a_folder(told: Told, kind: str) -> None:
    close(told.two[kind], told.one["other" if kind == "many" else kind])


@pytest.mark.parametrize("kind", list(RELATIVES))
def test_relatives_are_read_scored_and_written(told: Told, kind: str) -> None:
    close(told.two[kind], told.one[kind])
    again = AutoModelForCausalLM.from_pretrained(told.folder / "two" / f"{kind}-again")
    same(again, AutoModelForCausalLM.from_pretrained(told.folder / kind))


def test_where_all_is_loaded_and_where_rows_are_padded_is_said(told: Told) -> None:
    notes = told.two["notes"]
    assert any("Gemma2ForCausalLM: padded batches" in one for one in notes)
    (said,) = [one for one in notes if "loads all of it" in one]
    assert said.startswith(f"{told.folder / 'mixtral'}: ")
    assert said.endswith("since its checkpoint has no model.layers.0.mlp.gate.weight")


def test_a_folder_of_many_files_is_the_model_exactly(told: Told) -> None:
    folder = told.folder / "two" / "many"
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 3
    many, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values())
    same(many, AutoModelForCausalLM.from_pretrained(told.folder / "other"))


def test_no_process_ever_holds_a_whole_copy(told: Told) -> None:
    measured = told.two["measured"]
    most = {name: one[0] for name, one in measured.items()}
    left = {name: one[1] for name, one in measured.items()}
    assert most["score"] < LAYERS
    assert most["anchor"] < LAYERS
    assert left["score"] < 0.01
    # its part of an anchor, and room for one layer at a time while it is laid out
    assert left["freeze"] == pytest.approx(0.5, abs=0.02)
    assert most["freeze"] < 0.5 + LAYERS
    # its part of the gradients and of both moments; activations of one short pair of rows
    assert left["fit"] == pytest.approx(1.0, abs=0.05)
    assert most["fit"] < 1.5 + 2 * LAYERS
    assert most["save"] < TENSORS
    assert most["checkpoint"] < TENSORS
    assert left["resume"] == pytest.approx(1.0, abs=0.02)
    assert most["resume"] < 1.0 + TENSORS
    assert left["open"] == pytest.approx(0.5, abs=0.02)
    assert most["open"] < 0.5 + LAYERS


def test_layers_are_gathered_only_where_weights_lie_in_parts(run: Run) -> None:
    with pytest.raises(SettingError, match="gather: expected sharding=fsdp2 with gather=layers"):
        replace(SMALL, gather="layers").open(run)

"""What Solon writes, other trainers load: data sets in TRL's schemas, folders of policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from solon.engines.local import Shape, Transformer
from solon.judges.human import HumanLabels
from solon.records import Completion, Mark, Message, Preference, Prompt
from solon.run.export import export_marks, export_preferences
from solon.run.run import Run

SMALL = Transformer(
    shape=Shape(hidden=16, layers=1, heads=2, context=64),
    tokenizer=("the", "cat", "dog", "sat", "ran", "on", "mat", "why", "?"),
    max_new_tokens=8,
)


def pairs(role: Any) -> list[Preference]:
    found: list[Preference] = []
    for word in ("cat", "dog"):
        prompt = Prompt.of(f"why the {word} ?", role=role)
        chosen, rejected = (Completion(prompt=prompt, text=t) for t in ("on the mat", "ran"))
        found.append(Preference(chosen=chosen, rejected=rejected, p=0.9, source="j"))
    return found


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRL_EXPERIMENTAL_SILENCE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))


def load(path: Path) -> Any:
    import datasets

    kind = {"jsonl": "json", "parquet": "parquet"}[path.suffix[1:]]
    cache = str(path.parent / "cache")
    return datasets.load_dataset(kind, data_files=str(path), split="train", cache_dir=cache)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_datasets_loads_the_export_as_plain_text_and_as_turns(kind: str, tmp_path: Path) -> None:
    export_preferences(tmp_path / "raw", pairs("text"))
    export_preferences(tmp_path / "chat", pairs("user"))
    raw = load(tmp_path / "raw" / f"preferences.{kind}")
    chat = load(tmp_path / "chat" / f"preferences.{kind}")
    assert set(raw.column_names) == {"prompt", "chosen", "rejected", "p", "source"}
    assert raw[0]["prompt"] == "why the cat ?"
    assert raw[1]["rejected"] == "ran"
    assert chat[0]["prompt"] == [{"role": "user", "content": "why the cat ?"}]
    assert chat[0]["chosen"] == [{"role": "assistant", "content": "on the mat"}]
    assert chat["p"][:] == [0.9, 0.9]


def test_marks_are_trls_unpaired_schema(tmp_path: Path) -> None:
    from trl.data_utils import is_conversational

    marks = [Mark(completion=p.chosen, desirable=True) for p in pairs("user")]
    export_marks(tmp_path, [*marks, Mark(completion=pairs("user")[0].rejected, desirable=False)])
    found = load(tmp_path / "marks.jsonl")
    assert found["label"][:] == [True, True, False]
    assert is_conversational(found[0])


def test_what_datasets_writes_is_read_as_labels(tmp_path: Path, run: Run) -> None:
    import datasets

    turns = [{"role": "user", "content": "Why?"}]
    row = {
        "prompt": turns,
        "chosen": [{"role": "assistant", "content": "Because."}],
        "rejected": [{"role": "assistant", "content": "No."}],
    }
    made = datasets.Dataset.from_list(
        [row, row | {"prompt": [{"role": "user", "content": "How?"}]}]
    )
    made.to_parquet(str(tmp_path / "d.parquet"))
    made.to_json(str(tmp_path / "d.jsonl"))
    for name in ("d.parquet", "d.jsonl"):
        people = HumanLabels(path=str(tmp_path / name)).open(run)
        assert [one.chosen.text for one in people.labels] == ["Because.", "Because."]
        assert people.labels[1].chosen.prompt.messages == (Message(role="user", text="How?"),)


# TRL calls transformers by names that the latter has changed
@pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing` is deprecated:FutureWarning")
def test_trl_trains_a_policy_folder_on_the_export_and_solon_takes_it_back(
    tmp_path: Path, run: Run
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    policy = SMALL.open(run)
    policy.freeze().save(tmp_path / "policy")
    export_preferences(tmp_path, pairs("text"))
    before = AutoModelForCausalLM.from_pretrained(tmp_path / "policy", dtype=torch.float32)
    trainer = DPOTrainer(
        model=str(tmp_path / "policy"),
        args=DPOConfig(
            output_dir=str(tmp_path / "out"),
            per_device_train_batch_size=2,
            max_steps=1,
            learning_rate=1e-2,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=load(tmp_path / "preferences.parquet"),
        processing_class=AutoTokenizer.from_pretrained(tmp_path / "policy"),
    )
    assert trainer.train().training_loss == pytest.approx(0.6931, abs=1e-3)
    trainer.save_model(str(tmp_path / "trained"))
    after = AutoModelForCausalLM.from_pretrained(tmp_path / "trained")
    moved = [
        (a - b).abs().max().item()
        for a, b in zip(before.parameters(), after.parameters(), strict=True)
    ]
    assert max(moved) > 1e-3
    again = Transformer(model=str(tmp_path / "trained"), max_new_tokens=8).open(run)
    gap = [b - a for a, b in zip(*_margins(policy, again), strict=True)]
    assert sum(gap) > 0
    assert json.loads((tmp_path / "trained" / "config.json").read_text())["vocab_size"]


def _margins(*policies: Any) -> list[list[float]]:
    """log p(chosen) - log p(rejected) of each pair under each policy."""
    data = pairs("text")
    return [
        [
            a - b
            for a, b in zip(
                policy.logp([p.chosen for p in data]),
                policy.logp([p.rejected for p in data]),
                strict=True,
            )
        ]
        for policy in policies
    ]

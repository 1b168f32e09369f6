"""The shards of a labelling, in the hands of TRL's trainer."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pytest

from solon.bench.labelling import Labelling, Rows, label_file
from solon.engines.local import Shape, Transformer
from solon.lab.judges import Dials, PlantedPair
from solon.run.run import Run

SMALL = Transformer(
    shape=Shape(hidden=16, layers=1, heads=2, context=64),
    tokenizer=("the", "cat", "dog", "sat", "ran", "on", "mat", "why", "?"),
    max_new_tokens=8,
)
PLAIN = "{% for m in messages %}{{ m['content'] + ' ' }}{% endfor %}"


# TRL calls transformers by names that the latter has changed
@pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing` is deprecated:FutureWarning")
def test_trl_takes_a_step_on_the_folder_as_it_stands(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRL_EXPERIMENTAL_SILENCE"):
        monkeypatch.setenv(name, "1")
    from transformers import AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    rows = [
        {"prompt": f"why the {one} ?", "first": "ran", "second": "on the mat" + " sat" * number}
        for number, one in enumerate(("cat", "dog") * 40)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judge = PlantedPair(dials=Dials(discernment=0.0, length=1.0))
    label_file(Rows(path=tmp_path / "rows.jsonl"), Labelling(judge=judge), run)
    labels = run.dir / "labels"
    assert len(list(labels.glob("*.parquet"))) == 2
    SMALL.open(run).freeze().save(tmp_path / "policy")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "policy")
    tokenizer.chat_template = PLAIN
    trainer = DPOTrainer(
        model=str(tmp_path / "policy"),
        args=DPOConfig(
            output_dir=str(tmp_path / "out"),
            per_device_train_batch_size=4,
            max_steps=1,
            max_length=60,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=datasets.load_dataset(
            str(labels), split="train", cache_dir=str(tmp_path / "cache")
        ),
        processing_class=tokenizer,
    )
    assert len(trainer.train_dataset) == 80
    assert trainer.train().training_loss == pytest.approx(0.6931, abs=1e-3)

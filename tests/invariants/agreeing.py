"""Starting two processes, and comparing what they say with what one has said."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file


@dataclass(frozen=True)
class Told:
    """What one process and two have said, and where they have written."""

    one: dict[str, Any]
    two: dict[str, Any]
    folder: Path


# Rounding only: float32 sums in another order, over twelve updates by AdamW.
CLOSE = 1e-5


def launched(*arguments: str) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launcher, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Warning" not in done.stderr
    assert "[transformers]" not in done.stderr


def tie(folder: Path) -> None:
    """The head of the saved model becomes its embedding."""
    file = folder / "model.safetensors"
    weights = load_file(file)
    del weights["lm_head.weight"]
    save_file(weights, file, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": True}))


def close(found: Any, wanted: Any) -> None:
    """Equal, numbers up to rounding."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            close(found[key], value)
    elif isinstance(wanted, list | tuple):
        assert len(found) == len(wanted)
        for mine, other in zip(found, wanted, strict=True):
            close(mine, other)
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, rel=CLOSE, abs=CLOSE)
    else:
        assert found == wanted

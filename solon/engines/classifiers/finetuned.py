"""A transformer with a classification head: fine-tuned whole or by adapters, or frozen.

axes: S texts, H hidden, K classes
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from solon.engines.classifiers.features import Pooling
from solon.engines.classifiers.training import Course, Lesson, learn
from solon.engines.classifiers.trunk import Trunk
from solon.engines.local.device import Device
from solon.engines.local.weights import Lora, adapt
from solon.errors import InputError, SettingError
from solon.objectives.adam import Adam, Sgd
from solon.records import digest
from solon.seams.classifying import Floats, Inputs, LabelObjective, Watch
from solon.seams.feedback import Metrics

HEAD = "head.safetensors"


@dataclass(frozen=True, kw_only=True)
class FineTuned:
    """Any Hugging Face encoder or causal language model by folder. Satisfies ClassifierSpec.

    The head begins at 0 and has no bias, dropout is off in training too, as in the authors' code of
    weak-to-strong (arXiv 2312.09390); the last token is found by mask, where that code looks for an
    id. Raises SettingError where the model cannot be read.

    Example:
        FineTuned(model="models/base", optimiser=Adam(lr=1e-5, schedule="cosine"))
    """

    view: str = "text"
    """Which view of the items it reads."""
    model: str = ""
    """Folder or hub name."""
    pooling: Pooling = "last"
    """What the head reads: the last real token's state, or the mean of all (for encoders)."""
    trunk: bool = True
    """Whether the model learns too; else the head alone does, on states that do not change."""
    lora: Lora | None = None
    """Adapters that learn in the trunk's place."""
    epochs: int = 2
    """Passes over the items."""
    batch: int = 32
    """Texts an update."""
    chunk: int = 32
    """Texts of one pass: lower it where memory runs out; results do not change."""
    optimiser: Adam | Sgd = Adam(lr=5e-5, schedule="cosine")
    """How it learns; the schedule ends with the last update."""
    max_tokens: int = 256
    """Longest text, in tokens; a longer one loses its end."""
    device: Device = "auto"
    """Where it computes; auto is CUDA where there is one."""

    def open(self, run: object, /) -> FineTuned:
        """Itself: each classifier loads the model anew."""
        del run
        return self

    def new(self, classes: int, *, seed: int) -> Tuned:
        if not self.model:
            raise SettingError("model: expected a folder or a hub name of a transformer, got none")
        trunk = Trunk.load(
            self.model, pooling=self.pooling, max_tokens=self.max_tokens, device=self.device
        )
        if self.lora is not None:
            assert isinstance(trunk.model, PreTrainedModel), "no adapters yet"
            trunk.model = adapt(trunk.model, self.lora, seed=seed, task="FEATURE_EXTRACTION")
        elif not self.trunk:
            trunk.model.requires_grad_(requires_grad=False)
        head = nn.Linear(trunk.width, classes, bias=False, device=trunk.model.device)
        nn.init.zeros_(head.weight)
        return Tuned(spec=self, trunk=trunk, head=head, seed=seed)


@dataclass(slots=True, kw_only=True)
class Tuned:
    """A transformer that learns to classify. Satisfies Classifier."""

    spec: FineTuned
    trunk: Trunk
    head: nn.Linear
    seed: int

    @property
    def id(self) -> str:
        return f"{Path(self.spec.model).name}-{digest(self.spec, self.seed)[:6]}"

    def fit(
        self,
        inputs: Inputs,
        targets: Floats,
        objective: LabelObjective,
        /,
        *,
        watch: Watch | None = None,
    ) -> Metrics:
        texts, spec = texts_of(inputs), self.spec
        lesson = Lesson(
            items=len(texts),
            classes=self.head.out_features,
            targets=targets,
            objective=objective,
            seed=self.seed,
        )
        learning = [one for one in self.trunk.parameters() if one.requires_grad]
        return learn(
            lambda rows: self._logits([texts[row] for row in rows]),
            [*self.head.parameters(), *learning],
            lesson,
            Course(
                epochs=spec.epochs, batch=spec.batch, optimiser=spec.optimiser, chunk=spec.chunk
            ),
            lambda epoch: watch(epoch, self) if watch else None,
        )

    @torch.no_grad()
    def predict(self, inputs: Inputs, /) -> Floats:
        texts = texts_of(inputs)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # alike in length
        found = np.empty((len(texts), self.head.out_features))
        for start in range(0, len(order), 2 * self.spec.chunk):
            rows = order[start : start + 2 * self.spec.chunk]
            said = self._logits([texts[row] for row in rows])
            found[rows] = said.double().softmax(dim=-1).cpu().numpy()
        return found

    def _logits(self, texts: list[str]) -> Tensor:
        return self.head(self.trunk(texts))

    def save(self, folder: Path) -> None:
        """The trunk as transformers reads it, and the head [K H], in safetensors."""
        model = self.trunk.model
        whole = getattr(model, "merge_and_unload", None)
        (whole() if whole else model).save_pretrained(str(folder))
        self.trunk.tokenizer.save_pretrained(folder)
        save_file({"weight": self.head.weight.detach().contiguous()}, folder / HEAD)


def texts_of(inputs: Inputs) -> list[str]:
    """Texts, for what reads nothing else."""
    if isinstance(inputs, np.ndarray):
        raise InputError("expected texts, got features: a transformer reads texts")
    return list(inputs)

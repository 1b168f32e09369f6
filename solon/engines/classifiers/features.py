"""Features of texts that a probe stands on: given ones, bags of words, a frozen transformer's.

axes: N items, D features, T tokens
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
import torch
from torch import Tensor

from solon.engines.local.device import Device
from solon.errors import InputError, SettingError
from solon.seams.classifying import Floats, Inputs

if TYPE_CHECKING:
    from solon.engines.classifiers.trunk import Trunk

Pooling: TypeAlias = Literal["mean", "last"]


class Features(Protocol):
    """A value: how inputs become numbers."""

    def fitted(self, inputs: Inputs, /) -> Callable[[Inputs], Floats]:
        """Inputs -> features [N D], by what was seen in these inputs."""
        ...


@dataclass(frozen=True, kw_only=True)
class Given:
    """The inputs are features already.

    Example:
        Given(standardise=True)
    """

    standardise: bool = False
    """Whether each feature is scaled to mean 0 and deviation 1 over the training inputs."""

    def fitted(self, inputs: Inputs, /) -> Callable[[Inputs], Floats]:
        first = _numbers(inputs)
        if not self.standardise:
            return _numbers
        mean, spread = first.mean(axis=0), first.std(axis=0)
        return lambda more: (_numbers(more) - mean) / np.where(spread > 0, spread, 1.0)


@dataclass(frozen=True, kw_only=True)
class Bag:
    """TF-IDF of words and runs of words; scikit-learn's, of the training texts' vocabulary.

    Example:
        Bag(words=2000, ngrams=2)
    """

    words: int = 2000
    """Most terms, the commonest first."""
    ngrams: int = 2
    """Longest run of words that is a term."""

    def fitted(self, inputs: Inputs, /) -> Callable[[Inputs], Floats]:
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer
        except ImportError as error:
            raise SettingError(
                "bag of words: needs scikit-learn: pip install 'solon[text]'"
            ) from error
        terms = TfidfVectorizer(
            max_features=self.words, ngram_range=(1, self.ngrams), sublinear_tf=True
        )
        try:
            terms.fit(_texts(inputs))
        except ValueError as error:  # texts without a single word
            raise InputError(f"bag of words: {error}") from error

        def features(more: Inputs) -> Floats:
            found: Any = terms.transform(_texts(more))
            return np.asarray(found.toarray(), dtype=np.float64)

        return features


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """The hidden states of a frozen transformer, pooled over a text's real tokens.

    Any Hugging Face encoder or causal language model. A text is read once in a process, whoever
    asks for it. Raises SettingError where the model cannot be read.

    Example:
        Encoder(model="minilm")
    """

    model: str = ""
    """Folder or hub name; minilm is all-MiniLM-L6-v2 from the extra of that name."""
    pooling: Pooling = "mean"
    """Mean of the real tokens' states, or the last real token's."""
    normalise: bool = True
    """Whether features are scaled to length 1."""
    max_tokens: int = 256
    """Longest text, in tokens; a longer one loses its end."""
    batch: int = 64
    """Texts of one pass."""
    device: Device = "auto"
    """Where it computes; auto is CUDA where there is one."""

    def fitted(self, inputs: Inputs, /) -> Callable[[Inputs], Floats]:
        del inputs
        return _reader(self)


@dataclass(slots=True)
class Reader:
    """A frozen trunk, and what it has read."""

    encoder: Encoder
    trunk: Trunk
    known: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def __call__(self, inputs: Inputs) -> Floats:
        texts = _texts(inputs)
        new = sorted(set(texts) - self.known.keys(), key=len)
        with torch.no_grad():
            for start in range(0, len(new), self.encoder.batch):
                part = new[start : start + self.encoder.batch]
                found = self.trunk(part).float()
                if self.encoder.normalise:
                    found = torch.nn.functional.normalize(found, dim=-1)
                self.known |= dict(zip(part, found.cpu(), strict=True))
        return torch.stack([self.known[text] for text in texts]).double().numpy()


_READERS: dict[Encoder, Reader] = {}


def _reader(encoder: Encoder) -> Reader:
    """One for each encoder: a classifier for each seed must not read the texts anew."""
    if encoder not in _READERS:
        if not encoder.model:
            raise SettingError("features.model: expected a folder or a hub name, got none")
        from solon.engines.classifiers.trunk import Trunk

        trunk = Trunk.load(
            encoder.model,
            pooling=encoder.pooling,
            max_tokens=encoder.max_tokens,
            device=encoder.device,
        )
        _READERS[encoder] = Reader(encoder, trunk)
    return _READERS[encoder]


def _numbers(inputs: Inputs) -> Floats:
    if not isinstance(inputs, np.ndarray) or inputs.ndim != 2:
        raise InputError("expected features [N D], got texts: choose features for them")
    return np.ascontiguousarray(inputs)  # torch takes no array that runs backwards


def _texts(inputs: Inputs) -> Sequence[str]:
    if isinstance(inputs, np.ndarray):
        raise InputError("expected texts, got features: choose features=given for them")
    return inputs

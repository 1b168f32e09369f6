"""Handwritten digits, and a judge that was taught to tell them from a few random pixels.

The 1,797 digits of 8 x 8 pixels that scikit-learn brings stand for MNIST (Irving et al., arXiv
1805.00899). The judge sees the values of the pixels shown and which they are, and nothing else. It
learns from images that are never played.

axes: N images, P = 64 pixels, C = 10 classes
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from solon.errors import SettingError

Floats = NDArray[np.float64]
PIXELS, CLASSES = 64, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """Images [N P] with values from 0 to 1, and their classes [N].

    Example:
        taught, played = Digits.split(seed=1, played=300)
    """

    images: Floats
    labels: NDArray[np.int64]

    @classmethod
    def split(cls, *, seed: int, played: int) -> tuple[Digits, Digits]:
        """The images to teach a judge with, and those to play with: none is in both.

        SettingError where scikit-learn is missing.
        """
        data = _bundled()
        images = np.asarray(data.data, dtype=np.float64) / 16.0
        labels = np.asarray(data.target, dtype=np.int64)
        if not 0 < played < len(images):
            raise SettingError(f"played: expected 1 to {len(images) - 1}, got {played}")
        order = np.random.default_rng(seed).permutation(len(images))
        parts = order[played:], order[:played]
        taught, play = (cls(images=images[rows], labels=labels[rows]) for rows in parts)
        return taught, play

    def lies(self, seed: int) -> NDArray[np.int64]:
        """For each image a class that it is not, drawn evenly: [N]."""
        shift = np.random.default_rng([seed, 1]).integers(1, CLASSES, size=len(self.labels))
        return (self.labels + shift) % CLASSES


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseJudge:
    """A network of one hidden layer: pixels shown in, log-probabilities of the classes out.

    Example:
        Teaching(pixels=6).taught(digits, seed=1)(images, shown)
    """

    weights: tuple[Floats, Floats]
    biases: tuple[Floats, Floats]

    def __call__(self, images: Floats, shown: NDArray[np.bool_], /) -> Floats:
        """[N P] twice -> [N C]; a pixel that is not shown counts for nothing."""
        return self._said(_seen(images, shown) @ self.weights[0] + self.biases[0])

    def further(self, images: Floats, shown: NDArray[np.bool_]) -> Floats:
        """The same after one pixel more, for each pixel: [N P] twice -> [N P C]."""
        value, mask = self.weights[0][:PIXELS], self.weights[0][PIXELS:]
        each = images[:, :, None] * value + mask
        before = _seen(images, shown) @ self.weights[0] + self.biases[0]
        return self._said(before[:, None, :] + np.where(shown[:, :, None], 0.0, each))

    def _said(self, hidden: Floats) -> Floats:
        logits = np.maximum(hidden, 0.0) @ self.weights[1] + self.biases[1]
        return special.log_softmax(logits, axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaching:
    """How a judge is taught: random pixels of each image, drawn anew in each epoch.

    Example:
        Teaching(pixels=4, epochs=60)
    """

    pixels: int
    """How many random pixels of an image it is shown."""
    epochs: int = 60
    """Times that each image is seen."""
    hidden: int = 128
    """Width of the hidden layer."""

    def __post_init__(self) -> None:
        if not 1 <= self.pixels <= PIXELS:
            raise SettingError(f"pixels: expected 1 to {PIXELS}, got {self.pixels}")

    def taught(self, digits: Digits, *, seed: int) -> SparseJudge:
        """SettingError where scikit-learn is missing."""
        draw = np.random.default_rng([seed, 2])
        model = _classifier(self.hidden, seed)
        for _ in range(self.epochs):
            shown = random_pixels(len(digits.images), self.pixels, draw)
            model.partial_fit(
                _seen(digits.images, shown), digits.labels, classes=np.arange(CLASSES)
            )
        return SparseJudge(
            weights=(model.coefs_[0], model.coefs_[1]),
            biases=(model.intercepts_[0], model.intercepts_[1]),
        )


def random_pixels(n: int, pixels: int, draw: np.random.Generator) -> NDArray[np.bool_]:
    """So many pixels of each of n images, all equally likely: [N P]."""
    ranks = draw.random((n, PIXELS)).argsort(axis=1).argsort(axis=1)
    return ranks < pixels


def _seen(images: Floats, shown: NDArray[np.bool_]) -> Floats:
    """Values where shown, and which those are: [N 2P]."""
    return np.hstack([images * shown, shown.astype(np.float64)])


def _bundled() -> Any:
    try:
        from sklearn.datasets import load_digits
    except ImportError as missing:
        raise SettingError(MISSING) from missing
    return load_digits()


def _classifier(hidden: int, seed: int) -> Any:
    try:
        from sklearn.neural_network import MLPClassifier
    except ImportError as missing:
        raise SettingError(MISSING) from missing
    return MLPClassifier((hidden,), random_state=seed, learning_rate_init=3e-3, batch_size=64)  # pyright: ignore[reportArgumentType]


MISSING = "digits: needs scikit-learn: pip install 'solon[text]'"

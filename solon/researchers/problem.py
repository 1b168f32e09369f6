"""What a method may see of a weak-to-strong problem, and its folder of plain files.

axes: N transfer examples, M test examples, K classes, D features.

A method is a Python file with one function:

    def method(problem):
        student = problem.student()
        student.fit(problem.inputs, problem.weak_labels, problem.objectives.confidence())
        return student.predict(problem.test_inputs)
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from solon.errors import DataError, InputError
from solon.researchers.workspace import read_bytes
from solon.seams.classifying import Classifier, Floats, Inputs

if TYPE_CHECKING:
    from solon.objectives.weak import Confidence, Naive, ProductOfExperts


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """The losses of Burns et al. (arXiv 2312.09390) by name; each takes its settings."""

    def naive(self) -> Naive:
        from solon.objectives.weak import Naive

        return Naive()

    def confidence(self, **settings: Any) -> Confidence:
        from solon.objectives.weak import Confidence

        return Confidence(**settings)

    def product(self, **settings: Any) -> ProductOfExperts:
        from solon.objectives.weak import ProductOfExperts

        return ProductOfExperts(**settings)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """One problem without a true label anywhere in it.

    Example:
        Problem(weak_labels=soft, inputs=seen, test_inputs=asked, classes=2)
    """

    weak_labels: Floats
    """[N K] what the weak supervisor says of the transfer split."""
    inputs: Inputs
    """The student's view of the transfer split: features [N D], or N texts."""
    test_inputs: Inputs
    """The same view of what is asked."""
    classes: int
    """K."""
    seed: int = 0
    """Fixes every draw of a method that draws."""
    probe: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Settings of the student (``Probe``) that differ from its own defaults; ``adam`` or ``sgd``
    are those of its optimiser."""

    def student(self, *, member: int = 0, **changes: Any) -> Classifier:
        """A fresh student; members of an ensemble have their own draws, all fixed by the seed."""
        from solon.engines.classifiers.probe import Probe
        from solon.objectives.adam import Adam, Sgd

        seed = int(np.random.SeedSequence([self.seed, member]).generate_state(1)[0])
        settings = dict(self.probe)
        for name, kind in (("adam", Adam), ("sgd", Sgd)):
            if name in settings:
                settings["optimiser"] = kind(**settings.pop(name))
        return Probe(**{**settings, **changes}).new(self.classes, seed=seed)

    @property
    def objectives(self) -> Objectives:
        return Objectives()

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"classes": self.classes, "seed": self.seed, "probe": dict(self.probe)}
        (folder / "problem.json").write_bytes(orjson.dumps(settings))
        np.save(folder / "weak_labels.npy", self.weak_labels, allow_pickle=False)
        for name, inputs in (("inputs", self.inputs), ("test_inputs", self.test_inputs)):
            if isinstance(inputs, np.ndarray):
                np.save(folder / f"{name}.npy", inputs, allow_pickle=False)
            else:
                (folder / f"{name}.json").write_bytes(orjson.dumps(list(inputs)))

    @classmethod
    def read(cls, folder: Path) -> Problem:
        settings = orjson.loads((folder / "problem.json").read_bytes())
        return cls(
            weak_labels=np.load(folder / "weak_labels.npy", allow_pickle=False),
            inputs=_inputs(folder, "inputs"),
            test_inputs=_inputs(folder, "test_inputs"),
            **settings,
        )


def _inputs(folder: Path, name: str) -> Inputs:
    if (folder / f"{name}.npy").exists():
        return np.load(folder / f"{name}.npy", allow_pickle=False)
    return orjson.loads((folder / f"{name}.json").read_bytes())


def checked(answer: Any, rows: int, classes: int) -> Floats:
    """The answer as [M K] probabilities; InputError, in one line, where it is not that."""
    try:
        found = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        came = type(answer).__name__
        raise InputError(f"method: expected an array of numbers, got {came}") from None
    if found.shape != (rows, classes):
        came = str(found.shape)[:60]
        raise InputError(f"method: expected probabilities of shape ({rows}, {classes}), got {came}")
    if not np.isfinite(found).all():
        raise InputError("method: expected finite probabilities, got NaN or infinity")
    if (found < 0).any() or (np.abs(found.sum(1) - 1) > 1e-4).any():
        raise InputError("method: expected rows of probabilities that sum to 1, got others")
    return found


def read_answer(file: Path, rows: int, classes: int) -> Floats:
    """Probabilities from a file that hostile code wrote: no link, no pickle, no surprise in size.

    Its header must be, byte for byte, that of such an array: a header that is not parsed cannot
    mislead its parser.
    """
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (rows, classes)}
    np.lib.format.write_array_header_1_0(header, shape)
    most = len(header.getvalue()) + rows * classes * 8
    found = read_bytes(file.parent, file.name, most=most)
    if len(found) != most or not found.startswith(header.getvalue()):
        expected = f"an .npy file of float64 ({rows}, {classes})"
        raise DataError(file.name, expected=expected, came="other bytes")
    body = np.frombuffer(found, dtype="<f8", offset=len(header.getvalue()))
    return checked(body.reshape(rows, classes), rows, classes)

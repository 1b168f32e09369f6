"""Parts that methods are composed of, and the source that a composition is.

axes: N transfer examples, M test examples, K classes, D features.

A part enters a method at one of four places, as a function of the problem:

    data      (problem, inputs [N D], targets [N K]) -> inputs, targets
    loss      (problem) -> an objective; of several, the mean of their targets is taken
    learn     (problem, learn) -> learn, where learn(inputs, targets, member) -> predict
    answer    (problem, answer [M K]) -> answer

so any parts can stand together. Their order is the library's, not the caller's: the same parts are
the same source. They are for problems whose inputs are features.
"""

from __future__ import annotations

import ast
import math
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

from solon.errors import InputError, SettingError
from solon.researchers.library import ENTRIES, HELPERS, Entry, Family, Place, Setting

__all__ = [
    "BASELINES",
    "FAMILIES",
    "LIBRARY",
    "Family",
    "Part",
    "compose",
    "labelled",
    "named",
    "students",
    "tunings",
]

FAMILIES: tuple[Family, ...] = get_args(Family)
LABEL = re.compile(r"([a-z][a-z-]*)\(([a-z0-9=., ]*)\)")
CALLS: Mapping[Place, str] = {
    "data": "    inputs, targets = {call}(problem, inputs, targets{settings})\n",
    "loss": "{call}(problem{settings})",
    "learn": "    learn = {call}(problem, learn{settings})\n",
    "answer": "    answer = {call}(problem, answer{settings})\n",
}
STUDENT = '''
def student_of(problem, loss):
    """Trains one student; members of an ensemble have their own draws."""

    def learn(inputs, targets, member, **changes):
        student = problem.student(member=member, **changes)
        student.fit(inputs, targets, loss)
        return student.predict

    return learn
'''
MEAN = '''
def mean(losses):
    """The loss that is the mean of these, as its target is the mean of theirs."""
    return Target(lambda x: sum(one.target(x) for one in losses) / len(losses))
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part with its settings; another setting is another part.

    Example:
        LIBRARY["confident"].tuned(level=0.9)
    """

    name: str
    """Of its function, with hyphens."""
    family: Family
    """What kind of idea it is."""
    place: Place
    """Where it enters a method."""
    code: str
    """The source it contributes: one function, whose docstring is what it does."""
    choices: tuple[tuple[str, tuple[Setting, ...]], ...]
    """What each setting may be."""
    settings: tuple[tuple[str, Setting], ...]
    """What each is."""
    students: int
    """How many times as many students are trained with it, at most."""

    @classmethod
    def of(cls, entry: Entry) -> Part:
        """Named as its function is; the first choice of each setting is its default."""
        return cls(
            name=_function(entry.code).name.replace("_", "-"),
            family=entry.family,
            place=entry.place,
            code=entry.code,
            choices=tuple(entry.choices.items()),
            settings=tuple((name, values[0]) for name, values in entry.choices.items()),
            students=entry.students,
        )

    def tuned(self, **settings: Setting) -> Part:
        """With other settings, each one of its choices; else SettingError."""
        choices = dict(self.choices)
        for name, value in settings.items():
            if value not in choices.get(name, ()):
                raise SettingError(f"{self.name}: expected one of {choices}, got {name}={value}")
        return replace(self, settings=tuple((dict(self.settings) | settings).items()))

    def variants(self) -> list[Part]:
        """Itself with each of its settings: what tuning it may try."""
        names = [name for name, _ in self.choices]
        every = product(*(values for _, values in self.choices))
        return [replace(self, settings=tuple(zip(names, one, strict=True))) for one in every]

    @property
    def label(self) -> str:
        """Its name with its settings, which ``named`` reads again."""
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.settings)})"

    @property
    def says(self) -> str:
        """What it does, in its function's own words."""
        return (ast.get_docstring(_function(self.code)) or "").rstrip(".")

    @property
    def call(self) -> str:
        """The line, or of a loss the expression, that a method has for it."""
        settings = "".join(f", {name}={value!r}" for name, value in self.settings)
        return CALLS[self.place].format(call=self.name.replace("-", "_"), settings=settings)


def _function(code: str) -> ast.FunctionDef:
    return next(one for one in ast.parse(code).body if isinstance(one, ast.FunctionDef))


LIBRARY: Mapping[str, Part] = {part.name: part for part in map(Part.of, ENTRIES)}
ORDER = tuple(LIBRARY)
BASELINES: Mapping[str, tuple[Part, ...]] = {
    "naive": (LIBRARY["naive"],),
    "confidence": (LIBRARY["confidence"],),
    "product": (LIBRARY["product"],),
    "confident-only": (LIBRARY["confident"],),
}
"""The four baselines, each at its paper's settings; ``tunings`` are what tuning one tries."""


def ordered(parts: Iterable[Part]) -> tuple[Part, ...]:
    """In the library's order; SettingError for none, or for one part twice."""
    found = sorted(parts, key=lambda part: ORDER.index(part.name))
    names = [part.name for part in found]
    if not names or len(set(names)) < len(names):
        raise SettingError(f"method: expected parts, each of them once, got {names}")
    return tuple(found)


def labelled(parts: Iterable[Part]) -> str:
    """The parts in one line, which ``named`` reads again."""
    return " + ".join(part.label for part in ordered(parts))


def named(label: str) -> tuple[Part, ...]:
    """The parts of such a line; InputError for a part or a setting that the library lacks."""
    parts = list[Part]()
    for word in label.split(" + "):
        found = LABEL.fullmatch(word)
        known = LIBRARY[found[1]].variants() if found and found[1] in LIBRARY else []
        matching = [part for part in known if part.label == word]
        if not matching:
            raise InputError(f"parts: expected names and settings of the library, got {word[:60]}")
        parts += matching
    return ordered(parts)


def tunings(parts: Iterable[Part]) -> list[tuple[Part, ...]]:
    """The parts with each of their settings."""
    return [tuple(one) for one in product(*(part.variants() for part in ordered(parts)))]


def students(parts: Iterable[Part]) -> int:
    """How many students such a method trains, at most, but for those of its filters."""
    return math.prod(part.students for part in parts)


def compose(parts: Iterable[Part]) -> str:
    """The source of a method of these parts: plain numpy, and the problem's students."""
    found = ordered(parts)
    losses = [part.call for part in found if part.place == "loss"]
    codes = [part.code for part in found] + [STUDENT] + [MEAN] * (len(losses) > 1)
    lines = {place: "".join(one.call for one in found if one.place == place) for place in CALLS}
    method = (
        "\ndef method(problem):\n"
        "    inputs, targets = problem.inputs, problem.weak_labels\n"
        f"{lines['data']}"
        f"    loss = {_loss(losses)}\n"
        "    learn = student_of(problem, loss)\n"
        f"{lines['learn']}"
        "    answer = learn(inputs, targets, 0)(problem.test_inputs)\n"
        f"{lines['answer']}"
        "    return answer\n"
    )
    words = set(re.findall(r"\w+", "\n".join(codes)))
    helpers = [code for name, code in HELPERS.items() if name in words]
    return "\n".join([_opening(found), *helpers, *codes, method])


def _loss(losses: list[str]) -> str:
    if len(losses) < 2:
        return losses[0] if losses else "problem.objectives.naive()"
    return (
        "mean(\n        [\n"
        + "".join(f"            {one},\n" for one in losses)
        + "        ]\n    )"
    )


def _opening(parts: tuple[Part, ...]) -> str:
    """The docstring, which says what each part does, and the imports."""
    each = [textwrap.fill(f"{part.label}: {part.says}.", 97) for part in parts]
    said = "\n\n".join(each)
    return f'"""{said}\n"""\n\nimport numpy as np\n'

"""Questions of two options from someone who says who they are, and what a policy chose of them.

The file's schemas stand in docs/recorded-sycophancy.md. A choice is told by the option's *text*:
that it fits the biography. Its letter is kept apart, as files do not balance the letters.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Literal, cast

from solon.errors import DataError
from solon.judges import cells
from solon.judges.rows import Row, rows
from solon.records import Prompt
from solon.text.template import Template

Letter = Literal["A", "B"]
Biography = Literal["stated", "opposite"]
LETTERS: tuple[Letter, Letter] = ("A", "B")
FIELDS = (
    *("id", "question", "matching", "not_matching", "p_matching", "choice"),
    *("letter", "biography", "cluster", "policy"),
)
_CHOICES = {"matching": 1.0, "not_matching": 0.0}
_OPTIONS = re.compile(
    r"\A(?P<stem>.*?)\s*(?:\n\s*Choices:)?\s*\n\s*\(A\) (?P<A>[^\n]+)\n\s*\(B\) (?P<B>[^\n]+)"
    r"\s*(?:Answer:)?\s*\Z",
    re.DOTALL,
)
_KEYS = (
    ("prompt", "corrects", "incorrects"),
    ("question", "answer_matching_behavior", "answer_not_matching_behavior"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A biography with a question, and the option that fits it; asked with either letter for it.

    ``question`` names what is asked without the biography: probes that share it are counterfactuals
    of each other, one ``stated``, one ``opposite``.

    Example:
        Probe(id="7", stem="I am a baker. Which is better?", matching="bread", not_matching="rice")
    """

    id: str
    stem: str
    matching: str
    not_matching: str
    letter: Letter = "A"
    biography: Biography = "stated"
    cluster: str = ""

    def prompt(self, template: Template) -> Prompt:
        """The question with the options in the order that the letter says."""
        options = (self.matching, self.not_matching)
        first, second = options if self.letter == "A" else options[::-1]
        question = f"{self.stem}\n\n(A) {first}\n(B) {second}"
        said = Prompt(id="", messages=template.render({"question": question}))
        return replace(said, id=f"{self.id}/{self.biography}/{self.letter}")

    def turned(self) -> Probe:
        """The same with the letters changed round."""
        return replace(self, letter="B" if self.letter == "A" else "A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """P(the policy gives the option that fits the biography), under one letter; None if unparsed.

    Example:
        Choice(id="7", p_matching=1.0, letter="A", cluster="bread or rice", policy="small@3")
    """

    id: str
    p_matching: float | None
    letter: Letter
    biography: Biography = "stated"
    cluster: str = ""
    policy: str = ""


def read_choices(path: Path | str) -> list[Choice]:
    """Choices from a file (JSON lines, a JSON list, parquet; .gz too).

    Raises DataError, which names file, row (counted from 1) and field.
    """
    return cells.read(path, FIELDS, _choice)


def read_probes(path: Path | str) -> list[Probe]:
    """Probes from a file of Perez et al.'s, by either set of its keys.

    Questions with one wording, biographies aside, are one cluster. Raises DataError where a row has
    not exactly the options A and B.
    """
    path = Path(path)
    found = [_probe(row) for row in rows(path)]
    if not found:
        raise DataError(path, expected="one or more probes", came="none")
    return found


def own_probes() -> list[Probe]:
    """A short list of ours (solon/text/identities.toml): each question under both biographies."""
    table = tomllib.loads(files("solon.text").joinpath("identities.toml").read_text("utf-8"))
    return [
        Probe(
            id=one["id"],
            stem=f"{one[who]} {one['question']}",
            matching=one["options"][place],
            not_matching=one["options"][1 - place],
            biography=biography,
            cluster=one["id"],
        )
        for one in table["question"]
        for place, who, biography in _SIDES
    ]


_SIDES: Sequence[tuple[int, str, Biography]] = ((0, "stated", "stated"), (1, "other", "opposite"))


def _choice(row: Row) -> Choice:
    ident = cells.required(row, "id")
    p, said = cells.share(row, "p_matching"), row.fields.get("choice")
    if not {"p_matching", "choice"} & set(row.fields):
        raise row.fault("choice", "choice or p_matching (null where no answer could be read)")
    if said is not None and p is not None:
        raise row.fault("choice", "null beside p_matching")
    if said is not None:
        p = _CHOICES[cells.one_of(row, "choice", tuple(_CHOICES))]
    return Choice(
        id=ident,
        p_matching=p,
        letter=cast("Letter", cells.one_of(row, "letter", LETTERS)),
        biography=cast(
            "Biography", cells.one_of(row, "biography", ("stated", "opposite"), "stated")
        ),
        cluster=cells.name(row, "cluster", ident),
        policy=cells.name(row, "policy"),
    )


def _probe(row: Row) -> Probe:
    question, matching, other = next((k for k in _KEYS if k[0] in row.fields), _KEYS[1])
    parts = _OPTIONS.match(row.text(question))
    if parts is None:
        raise row.fault(question, "a question that ends in two options, (A) and (B)")
    fits = _letter(row, matching)
    if _letter(row, other) == fits:
        raise row.fault(other, "the other letter")
    stem = parts["stem"].strip()
    options = (parts["A"].strip(), parts["B"].strip())
    place = LETTERS.index(fits)
    return Probe(
        id=str(row.number),
        stem=stem,
        matching=options[place],
        not_matching=options[1 - place],
        letter=fits,
        # a paraphrased question is many questions with one wording each: the options tell them
        cluster=" | ".join(sorted(options)),
    )


def _letter(row: Row, field: str) -> Letter:
    """The letter of " (A)", alone or in a list of one."""
    value = row.fields.get(field)
    said = value[0] if isinstance(value, list) and len(cast("list[object]", value)) == 1 else value
    bare = said.strip().strip("()") if isinstance(said, str) else ""
    if bare not in LETTERS:
        raise row.fault(field, "(A) or (B), or a list of one of them")
    return bare

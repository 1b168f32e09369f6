"""What an answer does with its question: complies, refuses, or refuses and then helps in part.

Whoever tells is a ``Classify``: a batch of completions in, a stance or an abstention for each, in
order. ``by_words`` needs no model; ``LlmStance`` asks one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, cast, get_args

from solon.judges.critic import said
from solon.judges.parsing import Form, parse
from solon.records import Abstains, Completion
from solon.seams.feedback import Policy, Spec
from solon.text.criticism import asking
from solon.text.refusal import Stance, stance
from solon.text.template import Template

if TYPE_CHECKING:
    from solon.run.run import Run

Classify = Callable[[Sequence[Completion]], Sequence[Stance | Abstains]]
STANCES: tuple[Stance, ...] = get_args(Stance)


def by_words(completions: Sequence[Completion]) -> list[Stance | Abstains]:
    """By the cues of solon.text.refusal; an answer without words abstains."""
    return [
        stance(one.text) if one.text.strip() else Abstains(reason="no text") for one in completions
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmStance:
    """Asks a model for one of three words; any other reply abstains.

    Example:
        Evasiveness(classify=LlmStance(policy=endpoint).open(run))
    """

    policy: Spec[Policy]
    """Who reads the answers."""
    template: str = "audit/refusal"
    """Words of the question: a packaged name, or a path that ends in .md."""
    form: Form = "line"
    """Where the word stands in the reply: its last line, a tag at its end, or a json object."""

    def open(self, run: Run, /) -> OpenStance:
        template = Template.load(self.template)
        return OpenStance(policy=self.policy.open(run), template=template, form=self.form)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStance:
    """The live classifier: a prompt for each completion, a word for each prompt."""

    policy: Policy
    template: Template
    form: Form = "line"

    @property
    def id(self) -> str:
        return f"{self.policy.id}/{PurePath(self.template.name).stem}@{self.template.digest[:4]}"

    def __call__(self, completions: Sequence[Completion], /) -> list[Stance | Abstains]:
        asked = [asking(self.template, one, {}) for one in completions]
        replies = said(self.policy, asked) if asked else []
        return [
            self._read(reply, one.text) for reply, one in zip(replies, completions, strict=True)
        ]

    def _read(self, reply: Completion | Abstains, shown: str) -> Stance | Abstains:
        if isinstance(reply, Abstains):
            return reply
        word = parse(reply.text, STANCES, form=self.form, shown=(shown,))
        return word if isinstance(word, Abstains) else cast("Stance", word)

"""One word of a few about an answer, as someone tells it: does it validate, agree, criticise?

Whoever tells is a ``Tells``: a batch of completions in, a word or an abstention for each, in order.
``LlmTells`` asks a model, and any other reply abstains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeAlias

from solon.judges.critic import said
from solon.judges.parsing import Form, parse
from solon.records import Abstains, Completion
from solon.seams.feedback import Policy, Spec
from solon.text.criticism import asking
from solon.text.template import Template

if TYPE_CHECKING:
    from solon.run.run import Run

Tells: TypeAlias = Callable[[Sequence[Completion]], Sequence[str | Abstains]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmTells:
    """Asks a model for one of a few words about each answer.

    Example:
        LlmTells(policy=endpoint, template="audit/validation").open(run)
    """

    policy: Spec[Policy]
    """Who reads the answers."""
    template: str
    """Words of the question: a packaged name, or a path that ends in .md."""
    words: tuple[str, ...] = ("yes", "no")
    """Words that the template asks for."""
    form: Form = "line"
    """Where the word stands in the reply: its last line, a tag at its end, or a json object."""

    def open(self, run: Run, /) -> OpenTells:
        template = Template.load(self.template)
        return OpenTells(
            policy=self.policy.open(run), template=template, words=self.words, form=self.form
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTells:
    """The live teller: a prompt for each completion, a word for each prompt."""

    policy: Policy
    template: Template
    words: tuple[str, ...] = ("yes", "no")
    form: Form = "line"

    @property
    def id(self) -> str:
        return f"{self.policy.id}/{PurePath(self.template.name).stem}@{self.template.digest[:4]}"

    def __call__(self, completions: Sequence[Completion], /) -> list[str | Abstains]:
        asked = [asking(self.template, one, {}) for one in completions]
        replies = said(self.policy, asked) if asked else []
        return [
            reply
            if isinstance(reply, Abstains)
            else parse(reply.text, self.words, form=self.form, shown=(one.text,))
            for reply, one in zip(replies, completions, strict=True)
        ]


def told(tells: Tells, answers: Sequence[Completion]) -> list[str | Abstains]:
    """A word about each answer; a failed call is no answer, so nobody is asked about it."""
    given = [one for one in answers if one.finish != "filter"]
    words = iter(tells(given) if given else ())
    failed = Abstains(reason="the call failed")
    return [failed if one.finish == "filter" else next(words) for one in answers]

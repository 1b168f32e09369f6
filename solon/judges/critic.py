"""Critics in words: what is wrong with a completion, and the completion that mends it.

critic(completions)          -> critiques         a teacher says what is wrong
Rewriter(...)(critiques)      -> with a revision   whoever wrote the completion mends it
critic.refine(completions)   -> with a revision   the teacher mends it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from solon.judges.parsing import after_thinking
from solon.records import Abstains, Completion, Critique, Prompt, digest
from solon.seams.feedback import Policy, Spec
from solon.text.constitution import Constitution
from solon.text.criticism import asking
from solon.text.hostile import Markup
from solon.text.principle import Principle
from solon.text.template import Template, read

if TYPE_CHECKING:
    from solon.run.run import Run

FAULTS = "Say where the completion is wrong, useless, dishonest or harmful, and why."
FAULTLESS = "none"  # the whole reply where nothing is wrong
MEND = "Write the completion again, so that it is right, useful, honest and harmless."


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmCritic:
    """A model asked for a critique, or for a better completion; the whole reply is the answer, and
    the one word ``none`` finds nothing wrong.

    Example:
        LlmCritic(policy=endpoint, constitution="harmless")
    """

    policy: Spec[Policy]
    """Who criticises and refines."""
    critique: str = "critique/critique"
    """Words that ask for a critique: a packaged name, or a path that ends in .md."""
    refine: str = "critique/refine"
    """Words that ask for a better completion: a packaged name, or a path that ends in .md."""
    preamble: str = ""
    """Role and standards of the critic: a packaged name, or a path that ends in .md."""
    constitution: Constitution | str | None = None
    """Principles, one drawn for each completion: a packaged name, or a path that ends in .toml."""

    def open(self, run: Run, /) -> OpenCritic:
        """Raises SettingError where no principle says how to criticise and to revise."""
        law = self.constitution
        law = Constitution.load(law) if isinstance(law, str) else law
        return OpenCritic(
            policy=self.policy.open(run),
            words=Template.load(self.critique),
            mending=Template.load(self.refine),
            preamble=read(self.preamble).strip() if self.preamble else "",
            constitution=law.asking("critique", "revision") if law else None,
            seed_for=run.seed_for,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCritic:
    """The live critic: a prompt for each completion, a reply for each prompt."""

    policy: Policy
    words: Template
    mending: Template
    seed_for: Callable[..., int]
    preamble: str = ""
    constitution: Constitution | None = None

    @property
    def id(self) -> str:
        law = self.constitution.digest if self.constitution else ""
        whole = digest(self.words.digest, self.mending.digest, self.preamble, law)
        return f"{self.policy.id}/{PurePath(self.words.name).stem}@{whole[:4]}"

    def __call__(self, completions: Sequence[Completion], /) -> list[Critique | Abstains]:
        drawn = [self._drawn(one) for one in completions]
        asked = [
            self._asked(self.words, one.completion, rule.critique if rule else FAULTS)
            for one, rule in drawn
        ]
        return [
            reply if isinstance(reply, Abstains) else replace(one, text=_faults(reply.text))
            for (one, _), reply in zip(drawn, said(self.policy, asked), strict=True)
        ]

    def refine(self, completions: Sequence[Completion], /) -> list[Critique | Abstains]:
        drawn = [self._drawn(one) for one in completions]
        asked = [
            self._asked(self.mending, one.completion, rule.revision if rule else MEND)
            for one, rule in drawn
        ]
        return [
            reply if isinstance(reply, Abstains) else mended(one, reply)
            for (one, _), reply in zip(drawn, said(self.policy, asked), strict=True)
        ]

    def _drawn(self, completion: Completion) -> tuple[Critique, Principle | None]:
        """The completion's principle, the same whether it is criticised or refined."""
        if self.constitution is None:
            return Critique(completion=completion, principle="", text=""), None
        names = ("principle", self.constitution.digest, completion.prompt.id, completion.text)
        seed = self.seed_for(*names)
        rule = self.constitution.draw(seed)
        return Critique(completion=completion, principle=rule.id, text="", seed=seed), rule

    def _asked(self, template: Template, completion: Completion, principle: str) -> Prompt:
        own: Mapping[str, str] = {"preamble": Markup(self.preamble), "principle": principle}
        return asking(template, completion, own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriter:
    """Whoever writes a completion again after a critique.

    Example:
        Rewriter(policy=start, template=Template.load("critique/revise"))(critiques)
    """

    policy: Policy
    template: Template

    def __call__(self, critiques: Sequence[Critique], /) -> list[Critique | Abstains]:
        """Each critique with its revision."""
        asked = [asking(self.template, one.completion, {"critique": one.text}) for one in critiques]
        return [
            reply if isinstance(reply, Abstains) else mended(one, reply)
            for one, reply in zip(critiques, said(self.policy, asked), strict=True)
        ]


def said(policy: Policy, prompts: Sequence[Prompt]) -> list[Completion | Abstains]:
    """One whole reply to each prompt, without thoughts and outer space."""
    return [_whole(group.completions[0]) for group in policy.sample(prompts)]


def mended(critique: Critique, reply: Completion) -> Critique:
    """The critique with the reply as its revision: a completion of the criticised one's prompt.

    Log-probabilities are dropped, as they are those of another prompt; tokens stay.
    """
    revision = replace(reply, prompt=critique.completion.prompt, logps=())
    return replace(critique, revision=revision)


def _whole(reply: Completion) -> Completion | Abstains:
    if reply.finish == "filter":
        return Abstains(reason=reply.note or "the call failed")
    if reply.finish == "length":
        return Abstains(reason="the reply was cut off")
    text = after_thinking(reply.text)
    return replace(reply, text=text) if text else Abstains(reason="empty reply")


def _faults(text: str) -> str:
    return "" if text.strip(" .").lower() == FAULTLESS else text

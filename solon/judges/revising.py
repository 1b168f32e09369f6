"""Critique and revision of an answer by a principle, in the dialogue that the answer belongs to.

The supervised phase of Constitutional AI (Bai et al., arXiv 2212.08073, section 3.1):

    x, y -> critique request -> critique -> revision request -> y'     and x, y' is a dialogue again

Every answer comes back as one record; where nothing can be learnt from it, the record says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from solon.errors import SettingError
from solon.judges.critic import mended, said
from solon.records import Abstains, Completion, Critique, Message, Prompt, digest
from solon.seams.feedback import Policy
from solon.text.constitution import Constitution, Principle
from solon.text.criticism import asking
from solon.text.hostile import Markup
from solon.text.template import Template

if TYPE_CHECKING:
    from solon.run.run import Run

FAULTLESS = "no fault found"
UNCHANGED = "the revision changes nothing"
_LABEL = re.compile(r"\A\W*(?:critique|revision)\W*:[\s*_]*", re.IGNORECASE)
_REQUEST = re.compile(r"^\W*(?:critique|revision) request\W*:", re.IGNORECASE | re.MULTILINE)
_REVISION = re.compile(r"^\W*revision\W*:", re.IGNORECASE | re.MULTILINE)
_TURN = re.compile(r"^(?:human|user|assistant)\s*:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revising:
    """The words in which a policy criticises and revises its answers: a value without a model.

    Example:
        Revising(constitution="broad").by(helpful, run)(answers, turn=1)
    """

    constitution: str = "harmless"
    """Principles, one drawn for each answer and turn: a packaged name, or a path (.toml)."""
    principles: int = 0
    """Principles drawn from, the first so many of the constitution; 0 takes all."""
    critique: bool = True
    """Whether a critique comes before the revision."""
    dialogue: str = "critique/dialogue"
    """Words that ask for a critique and then a revision: a packaged name, or a path (.md)."""
    direct: str = "critique/dialogue_direct"
    """Words that ask for a revision at once, where there is no critique."""
    examples: str = "critique/examples"
    """Dialogues shown before: a packaged name, or a path (.md); empty shows none."""
    faultless: str = "none"
    """The whole critique where nothing is wrong: such an answer is not revised."""

    def by(self, policy: Policy, run: Run) -> OpenRevising:
        """Raises SettingError where the words or the constitution lack what is asked for."""
        return OpenRevising(
            policy=policy,
            constitution=self.law(),
            dialogue=Template.load(self.dialogue if self.critique else self.direct),
            examples=Template.load(self.examples).render({}) if self.examples else (),
            faultless=self.faultless if self.critique else "",
            seed_for=run.seed_for,
        )

    def law(self) -> Constitution:
        """The principles that are drawn from; raises SettingError where it cannot be revised by."""
        wanted = ("critique", "revision") if self.critique else ("revision",)
        law = Constitution.load(self.constitution).asking(*wanted)
        if not 0 <= self.principles <= len(law.principles):
            raise SettingError(
                f"principles: expected 0 (all) to {len(law.principles)}, got {self.principles}"
            )
        return replace(law, principles=law.principles[: self.principles or None])


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRevising:
    """A policy that criticises and revises, one call for each: (answers, turn) -> critiques."""

    policy: Policy
    constitution: Constitution
    dialogue: Template
    examples: tuple[Message, ...]
    faultless: str
    seed_for: Callable[..., int]

    @property
    def id(self) -> str:
        words = digest(self.dialogue.digest, self.constitution.digest, self.examples)
        return f"{self.policy.id}/revising@{words[:4]}"

    def __call__(self, completions: Sequence[Completion], /, *, turn: int) -> list[Critique]:
        """One record for each, whose principle is drawn anew for this ``turn`` (from 1)."""
        records = [self._drawn(one, turn) for one in completions]
        if "critique" in self.dialogue.slots:
            asking_why = self.dialogue.before("critique")
            records = self._each(records, asking_why, self._criticised)
        return self._each(records, self.dialogue, self._revised)

    def _drawn(self, completion: Completion, turn: int) -> Critique:
        seed = self.seed_for("revise", self.constitution.digest, completion.prompt.id, turn)
        rule = self.constitution.draw(seed)
        return Critique(completion=completion, principle=rule.id, text="", turn=turn, seed=seed)

    def _each(
        self,
        records: Sequence[Critique],
        template: Template,
        heard: Callable[[Critique, Completion | Abstains], Critique],
    ) -> list[Critique]:
        """The records with a reply to each; those that failed before are not asked about."""
        going = [one for one in records if not one.failed]
        asked = [self._asked(one, template) for one in going]
        replies = iter(said(self.policy, asked) if asked else ())
        return [one if one.failed else heard(one, next(replies)) for one in records]

    def _asked(self, record: Critique, template: Template) -> Prompt:
        rule = self.constitution.draw(record.seed)
        own = _requests(rule) | {"critique": record.text}
        if "conversation" in template.slots:  # a text that holds the whole dialogue
            return asking(template, record.completion, own)
        # in turns of their own a model's words are no one else's: nothing to neutralise
        mine = {slot: Markup(text) for slot, text in own.items() if slot in template.slots}
        before, answer = record.completion.prompt.messages, record.completion.text
        turns = (*before, Message(role="assistant", text=answer), *template.render(mine))
        messages = _after(self.examples, turns)
        return Prompt(id=digest(messages), messages=messages)

    def _criticised(self, record: Critique, reply: Completion | Abstains) -> Critique:
        if isinstance(reply, Abstains):
            return replace(record, failed=f"critique: {reply.reason}")
        text = _LABEL.sub("", reply.text).strip()
        told = replace(record, text=text)
        if text.strip(" .").lower() == self.faultless.strip(" .").lower():
            return replace(told, failed=FAULTLESS)
        malformed = _malformed(text) or ("holds a revision" if _REVISION.search(text) else "")
        return replace(told, failed=f"critique: {malformed}" if malformed else "")

    def _revised(self, record: Critique, reply: Completion | Abstains) -> Critique:
        if isinstance(reply, Abstains):
            return replace(record, failed=f"revision: {reply.reason}")
        text = _LABEL.sub("", reply.text).strip()
        revised = mended(record, replace(reply, text=text))
        if text == record.completion.text.strip():
            return replace(revised, failed=UNCHANGED)
        malformed = _malformed(text)
        return replace(revised, failed=f"revision: {malformed}" if malformed else "")


def usable(critiques: Sequence[Critique]) -> list[Completion]:
    """The revisions that may be learnt from."""
    return [one.revision for one in critiques if one.revision is not None and not one.failed]


def _requests(rule: Principle) -> dict[str, str]:
    return {"request": rule.critique, "revision": rule.revision}


def _malformed(text: str) -> str:
    """Why a reply is no critique or revision; what goes on past its turn mixes the roles."""
    if not text:
        return "empty reply"
    if _REQUEST.search(text):
        return "holds a request"
    return "another turn follows" if _TURN.search(text) else ""


def _after(examples: Sequence[Message], turns: Sequence[Message]) -> tuple[Message, ...]:
    """The dialogue behind the examples, with one system turn at most."""
    if not examples:
        return tuple(turns)
    systems = [one.text for one in (*examples, *turns) if one.role == "system"]
    spoken = [one for one in (*examples, *turns) if one.role != "system"]
    opening = [Message(role="system", text="\n\n".join(systems))] if systems else []
    return (*opening, *spoken)

"""A live policy taken through pushback: all dialogues turn by turn, each turn one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from solon.errors import InputError
from solon.judges.pushback import Kind, Pushback, Turn
from solon.records import Completion, Message, Prompt, flat
from solon.seams.feedback import Policy
from solon.text.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a user says against an answer; ``towards``: for the right one, None for no answer.

    Example:
        Push.of("simple", towards=False, claim="The snow is black.")
    """

    kind: Kind
    text: str
    towards: bool | None = None

    @classmethod
    def of(cls, kind: Kind, *, towards: bool | None = None, **slots: str) -> Push:
        """In the packaged words of that kind: slots ``claim``, ``reason`` and ``source``."""
        [said] = Template.load(f"pushback/{kind}").render(slots)
        return cls(kind=kind, text=said.text, towards=towards)


Rebut = Callable[[Completion, bool], Sequence[Push]]
"""A first answer and whether it is right, to what the user then says, turn by turn."""
Told = Callable[[Sequence[Completion]], Sequence[bool | None]]
"""Whether each answer is right (or admits a mistake); None where that cannot be told."""
GoOn = Callable[[Completion, str], Prompt]
"""An answer and what the user says next, to the dialogue one turn on."""


def pushed(
    policy: Policy, questions: Sequence[Prompt], rebut: Rebut, correct: Told
) -> list[Pushback]:
    """The policy answers each question, and is then pushed, all dialogues turn by turn."""
    if not questions:
        raise InputError("pushback: a live policy needs questions, got none")
    return press(policy, flat(policy.sample(questions)), rebut, correct)


def press(
    policy: Policy,
    firsts: Sequence[Completion],
    rebut: Rebut,
    correct: Told,
    *,
    go_on: GoOn | None = None,
    admits: Told | None = None,
) -> list[Pushback]:
    """The same from first answers that stand already, whoever gave them.

    A first answer that cannot be read is not pushed, and a dialogue ends where a call fails.
    """
    told = _told(firsts, correct)
    dialogues = [
        _Dialogue(first=one, right=right, pushes=() if right is None else rebut(one, right))
        for one, right in zip(firsts, told, strict=True)
    ]
    while going := [one for one in dialogues if one.goes_on]:
        asked = [(go_on or turned)(one.last, one.push.text) for one in going]
        replies = flat(policy.sample(asked))
        rights, admitted = _told(replies, correct), _told(replies, admits or _unasked)
        for one, reply, right, admit in zip(going, replies, rights, admitted, strict=True):
            one.take(reply, correct=right, admits=admit)
    return [one.recorded(policy.id) for one in dialogues]


def turned(answer: Completion, said: str) -> Prompt:
    """The prompt with the answer and the user's next turn after it."""
    after = (Message(role="assistant", text=answer.text), Message(role="user", text=said))
    prompt = Prompt(id=answer.prompt.id, messages=(*answer.prompt.messages, *after))
    return replace(prompt, facts=answer.prompt.facts)


@dataclass(slots=True, kw_only=True)
class _Dialogue:
    first: Completion
    right: bool | None
    pushes: Sequence[Push]
    answers: list[Completion] = field(default_factory=list[Completion])
    turns: list[Turn] = field(default_factory=list[Turn])

    @property
    def last(self) -> Completion:
        return self.answers[-1] if self.answers else self.first

    @property
    def goes_on(self) -> bool:
        return len(self.turns) < len(self.pushes) and self.last.finish != "filter"

    @property
    def push(self) -> Push:
        return self.pushes[len(self.turns)]

    def take(self, reply: Completion, *, correct: bool | None, admits: bool | None) -> None:
        push = self.push
        self.turns.append(
            Turn(kind=push.kind, towards=push.towards, correct=correct, admits_mistake=admits)
        )
        self.answers.append(reply)

    def recorded(self, policy: str) -> Pushback:
        prompt = self.first.prompt
        return Pushback(
            id=prompt.id,
            first=self.right,
            turns=tuple(self.turns),
            cluster=prompt.fact("cluster", prompt.id),
            policy=policy,
        )


def _unasked(answers: Sequence[Completion]) -> list[bool | None]:
    return [None] * len(answers)


def _told(answers: Sequence[Completion], correct: Told) -> list[bool | None]:
    """A failed call is no answer, so nobody is asked whether it is right."""
    given = [one for one in answers if one.finish != "filter"]
    said = iter(correct(given) if given else ())
    return [None if one.finish == "filter" else next(said) for one in answers]

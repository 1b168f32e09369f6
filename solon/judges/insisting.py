"""A simulated user who insists on a belief, turn by turn, to a live policy, in batches.

After each reply one question about the belief is asked aside, in the dialogue so far, and it is
asked once without any history; what is answered aside does not stand in the dialogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from solon.errors import InputError
from solon.judges.critic import said
from solon.judges.exchanges import Belief, Exchange
from solon.judges.parsing import parse
from solon.judges.telling import Tells, told
from solon.records import Abstains, Completion, Message, Prompt
from solon.seams.feedback import Policy
from solon.text.template import Template

AFFIRMS = {"affirms": 1, "neutral": 0, "disputes": -1}


@dataclass(slots=True)
class _Talk:
    belief: Belief
    messages: list[Message] = field(default_factory=list[Message])
    replies: list[Completion] = field(default_factory=list[Completion])
    asides: list[str | None] = field(default_factory=list[str | None])


def insisted(
    policy: Policy, beliefs: Sequence[Belief], *, affirms: Tells, criticises: Tells | None = None
) -> list[Exchange]:
    """Every dialogue to its end; a call that failed ends its dialogue there, with a turn untold."""
    talks = [_Talk(belief) for belief in beliefs]
    template = Template.load("audit/belief")
    fresh = _answers(policy, [_aside(talk, template) for talk in talks])
    for turn in range(max((len(belief.turns) for belief in beliefs), default=0)):
        open_ = [t for t in talks if len(t.replies) == turn and turn < len(t.belief.turns)]
        _turn(policy, [talk for talk in open_ if not _failed(talk)], turn, template)
    return _rows(talks, fresh, affirms, criticises)


def _turn(policy: Policy, talks: Sequence[_Talk], turn: int, template: Template) -> None:
    if not talks:
        return
    for talk in talks:
        talk.messages.append(Message(role="user", text=talk.belief.turns[turn]))
    prompts = [_prompt(talk, f"{turn + 1}") for talk in talks]
    for talk, group in zip(talks, policy.sample(prompts), strict=True):
        reply = group.completions[0]
        talk.replies.append(reply)
        talk.messages.append(Message(role="assistant", text=reply.text))
    asides = _answers(policy, [_aside(talk, template, turn + 1) for talk in talks])
    for talk, aside in zip(talks, asides, strict=True):
        talk.asides.append(aside)


def _rows(
    talks: Sequence[_Talk],
    fresh: Sequence[str | None],
    affirms: Tells,
    criticises: Tells | None,
) -> list[Exchange]:
    replies = [reply for talk in talks for reply in talk.replies]
    words = iter(told(affirms, replies))
    faults = iter(told(criticises, replies) if criticises else [Abstains(reason="")] * len(replies))
    rows: list[Exchange] = []
    for talk, alone in zip(talks, fresh, strict=True):
        before: int | None = None
        for turn, (reply, aside) in enumerate(zip(talk.replies, talk.asides, strict=True), start=1):
            word, fault = next(words), next(faults)
            does = None if isinstance(word, Abstains) else _does(word)
            row = Exchange(
                id=talk.belief.id,
                turn=turn,
                affirms=does,
                criticises=None if isinstance(fault, Abstains) else fault == "yes",
                pushback=before == -1,
                answer=aside,
                fresh_answer=alone,
                policy=reply.policy,
            )
            rows.append(row)
            before = does
    return rows


def _does(word: str) -> int:
    if word not in AFFIRMS:
        raise InputError(f"affirms: expected one of {', '.join(AFFIRMS)}, got {word!r}")
    return AFFIRMS[word]


def _failed(talk: _Talk) -> bool:
    return bool(talk.replies) and talk.replies[-1].finish == "filter"


def _prompt(talk: _Talk, name: str) -> Prompt:
    return Prompt(id=f"{talk.belief.id}/{name}", messages=tuple(talk.messages))


def _aside(talk: _Talk, template: Template, turn: int = 0) -> Prompt:
    asked = template.render({"question": talk.belief.question})
    return Prompt(id=f"{talk.belief.id}/aside/{turn}", messages=(*talk.messages, *asked))


def _answers(policy: Policy, prompts: Sequence[Prompt]) -> list[str | None]:
    words = [
        one if isinstance(one, Abstains) else parse(one.text, ("yes", "no"), form="line")
        for one in said(policy, prompts)
    ]
    return [None if isinstance(word, Abstains) else word for word in words]

"""What a speaker is told when its turn comes, and what a judge asks between two rounds."""

from __future__ import annotations

from solon.judges.wording import prompt_of
from solon.oversight.asks import Draw
from solon.oversight.dispute import SIDES, Dispute, Side, Stand, other
from solon.oversight.judging import LETTERS, transcript
from solon.oversight.speaking import Speaking, Turn
from solon.records import Prompt, Speech
from solon.seams.games import Ask, Play
from solon.text.template import Template

NO_SOURCE = "(there is no text: argue from what you know)"


def brief(template: str, stand: Stand, *, round: int, words: int) -> Prompt:  # noqa: A002 - the game's word
    """What a speaker is asked in that round: it knows itself as "You"."""
    loaded, dispute = Template.load(template), stand.dispute
    names: dict[Side, str] = {stand.side: "You", other(stand.side): "Your opponent"}
    given = {
        "question": dispute.question.first.prompt.text,
        "answer": dispute.answer(stand.side),
        "opposed": dispute.answer(other(stand.side)),
        "source": dispute.source or NO_SOURCE,
        "transcript": transcript(stand.before, names),
        "words": str(words),
        "round": str(round),
    }
    return prompt_of(loaded.render({key: given[key] for key in given if key in loaded.slots}))


def turn_of(
    stand: Stand,
    *,
    seat: str,
    round: int,  # noqa: A002 - the game's word
    template: str,
    speaking: Speaking,
) -> Turn:
    """The turn of who stands there."""
    return Turn(
        seat=seat,
        side=stand.side,
        round=round,
        prompt=brief(template, stand, round=round, words=speaking.limit),
        source=stand.dispute.source,
        speaking=speaking,
    )


def inquiry(
    template: str,
    dispute: Dispute,
    said: tuple[Speech, ...],
    round: int,  # noqa: A002 - the game's word
) -> Play[tuple[Speech, ...]]:
    """What the judge asks after that round; nothing, where its call failed."""
    loaded = Template.load(template)
    given = {
        "question": dispute.question.first.prompt.text,
        "answer_a": dispute.answer("first"),
        "answer_b": dispute.answer("second"),
        "transcript": transcript(said, dict(zip(SIDES, LETTERS, strict=True))),
    }
    (group,) = yield (Ask("judge", Draw(prompt=prompt_of(loaded.render(given)))),)
    reply = group.completions[0]
    text = reply.text.strip()
    if reply.finish == "filter" or not text:
        return ()
    return (Speech(side="judge", round=round, text=text, policy=reply.policy),)

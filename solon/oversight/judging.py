"""How a judge is asked who is right: in both orders, by token probabilities or in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solon.judges.logits import softmax
from solon.judges.parsing import parse
from solon.judges.wording import prompt_of
from solon.oversight.asks import Choice, Draw
from solon.oversight.dispute import SIDES, Dispute, Side, other
from solon.oversight.drive import together
from solon.oversight.quotes import safe
from solon.records import Abstains, Group, Prefers, Speech
from solon.seams.games import Ask, Play
from solon.text.hostile import Markup
from solon.text.template import Template

LETTERS = ("A", "B")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Asks in both orders and averages p(first): the letters say nothing of who is right.

    Each order is one call; it abstains where one of them has no readable answer. That no answer is
    no right answer is for whoever counts (Khan et al., arXiv 2402.06782, count it as wrong).

    Example:
        Judging(words=True)
    """

    template: str = ""
    """The words of the question: a packaged name or a path; empty is the game's own."""
    words: bool = False
    """Whether the verdict is written and parsed ("Answer: A"), or read from probabilities."""
    source: bool = False
    """Whether the judge reads the source too: the expert judge of the papers."""

    def play(
        self, dispute: Dispute, speeches: Sequence[Speech], *, seat: str = "judge"
    ) -> Play[Prefers | Abstains]:
        """p(first is right), from what was said so far."""
        shown = [self._asked(dispute, speeches, seat, leads) for leads in SIDES]
        either = yield from together(*shown)
        failed = [one for one in either if isinstance(one, Abstains)]
        if failed:
            return failed[0]
        orders = tuple(one for one in either if not isinstance(one, Abstains))
        return Prefers(p_first=math.fsum(orders) / len(orders), orders=orders)

    def _asked(
        self, dispute: Dispute, speeches: Sequence[Speech], seat: str, leads: Side
    ) -> Play[float | Abstains]:
        """p(first is right), where the answer of the side that leads is A."""
        template = Template.load(self.template or self._own(speeches))
        prompt = prompt_of(template.render(values(template, dispute, speeches, leads)))
        if self.words:
            (said,) = yield (Ask(seat, Draw(prompt=prompt)),)
            p = _read(said, speeches)
        else:
            (said,) = yield (Ask(seat, Choice(prompt=prompt, choices=LETTERS, cue=template.cue)),)
            p = said if isinstance(said, Abstains) else softmax(said)
        if isinstance(p, Abstains):
            return p
        return p[0] if leads == "first" else p[1]

    def _own(self, speeches: Sequence[Speech]) -> str:
        seen = "_source" if self.source else ""
        how = "_words" if self.words else ""
        return f"debate/{'judge' if speeches else 'direct'}{seen}{how}"


def values(
    template: Template, dispute: Dispute, speeches: Sequence[Speech], leads: Side
) -> dict[str, str]:
    """What the slots of a judge's template are given; a source only where it has the slot."""
    names: dict[Side, str] = {leads: LETTERS[0], other(leads): LETTERS[1]}
    given = {
        "question": dispute.question.first.prompt.text,
        "answer_a": dispute.answer(leads),
        "answer_b": dispute.answer(other(leads)),
        "transcript": transcript(speeches, names),
        "source": dispute.source,
    }
    return {slot: text for slot, text in given.items() if slot in template.slots}


def transcript(speeches: Sequence[Speech], names: Mapping[Side, str]) -> Markup:
    """All that was said, each speech in its tag, under the names that the reader knows."""
    shown = [
        f'<speech by="{_name(one, names)}" round="{one.round}">\n{safe(one.text)}\n</speech>'
        for one in speeches
    ]
    return Markup("\n\n".join(shown) or "(nothing has been said yet)")


def _name(one: Speech, names: Mapping[Side, str]) -> str:
    return "Judge" if one.side == "judge" else names[one.side]


def _read(said: Group, speeches: Sequence[Speech]) -> tuple[float, float] | Abstains:
    reply = said.completions[0]
    if reply.finish == "filter":
        return Abstains(reason=reply.note or "the call failed")
    if reply.finish == "length":
        return Abstains(reason="the reply was cut off")
    letter = parse(reply.text, LETTERS, form="line", shown=[one.text for one in speeches])
    if isinstance(letter, Abstains):
        return letter
    return (1.0, 0.0) if letter == LETTERS[0] else (0.0, 1.0)

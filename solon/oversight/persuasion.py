"""Optimising for persuasion at inference: best of n, critique and refine (arXiv 2402.06782).

Both choose by a preference model: the judge's own question, asked of another seat while the game
goes on, and answered by how probable the speaker's own side is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from solon.judges.logits import softmax
from solon.judges.wording import prompt_of
from solon.oversight.asks import Choice, Draw
from solon.oversight.dispute import Stand, toward
from solon.oversight.drive import together
from solon.oversight.judging import Judging
from solon.oversight.quotes import safe
from solon.oversight.speaking import Turn
from solon.records import Abstains, Completion, Message, Speech
from solon.seams.games import Ask, Play
from solon.text.template import Template

PREFERENCE, CRITIC = "preference", "critic"
NO_YES = ("no", "yes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """The first speech that fits is given."""

    seats: ClassVar[tuple[str, ...]] = ()

    def play(self, turn: Turn, stand: Stand) -> Play[Speech | Abstains]:
        del stand
        return (yield from turn.play())


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOf:
    """The most persuasive of n speeches (Bo4 and Bo16 in the paper), in both orders of the answers.

    Deviation: (1) the preference model is asked in both orders; the authors ask it in one, and had
    a bug by which the worst of n was taken where the answers were swapped.

    Example:
        BestOf(n=4)
    """

    n: int = 4
    """Speeches drawn at a time."""
    judging: Judging = Judging()
    """How the preference model is asked."""
    seats: ClassVar[tuple[str, ...]] = (PREFERENCE,)

    def play(self, turn: Turn, stand: Stand) -> Play[Speech | Abstains]:
        return (yield from turn.play(n=self.n, pick=lambda made: best(made, stand, self.judging)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refine:
    """A speech is written again after the critique that is rated as the most helpful of n.

    Example:
        Refine(n=4)
    """

    n: int = 4
    """Critiques drawn."""
    judging: Judging = Judging()
    """How the preference model is asked whether the new speech is the better one."""
    critique: str = "debate/critique"
    """What the critic is asked: a packaged name or a path."""
    rate: str = "debate/rate_critique"
    """What the preference model is asked about each critique."""
    refine: str = "debate/refine"
    """What the speaker is asked."""
    seats: ClassVar[tuple[str, ...]] = (PREFERENCE, CRITIC)

    def play(self, turn: Turn, stand: Stand) -> Play[Speech | Abstains]:
        """The draft stays where no critique can be read or the new speech is no better."""
        draft = yield from turn.play()
        if isinstance(draft, Abstains):
            return draft
        critique = yield from self._critique(draft, stand)
        if not critique:
            return draft
        said = Message(role="assistant", text=draft.text)
        more = Template.load(self.refine).render({"critique": critique})
        again = prompt_of((*turn.prompt.messages, said, *more))
        new = yield from replace(turn, prompt=again).play()
        if isinstance(new, Abstains) or new.failed:
            return draft
        chosen = yield from best((draft, new), stand, self.judging)
        return new if chosen == 1 else draft

    def _critique(self, draft: Speech, stand: Stand) -> Play[str]:
        """The critique that the preference model rates as the most helpful; empty for none."""
        given = {
            "question": stand.dispute.question.first.prompt.text,
            "answer": stand.dispute.answer(stand.side),
            "draft": safe(draft.text),
        }
        asked = prompt_of(Template.load(self.critique).render(given))
        (said,) = yield (Ask(CRITIC, Draw(prompt=asked, n=self.n)),)
        completions: Sequence[Completion] = said.completions
        texts = [one.text.strip() for one in completions if one.finish != "filter"]
        texts = [text for text in texts if text]
        if not texts:
            return ""
        template = Template.load(self.rate)
        rated = yield tuple(
            Ask(
                PREFERENCE,
                Choice(
                    prompt=prompt_of(template.render({**given, "critique": text})),
                    choices=NO_YES,
                    cue=template.cue,
                ),
            )
            for text in texts
        )
        scores = [_yes(one) for one in rated]
        return texts[int(np.argmax(scores))] if max(scores) > -math.inf else ""


Persuasion = Plain | BestOf | Refine


def best(speeches: Sequence[Speech], stand: Stand, judging: Judging) -> Play[int | Abstains]:
    """The speech after which the preference model thinks its side the likeliest to be right.

    One that it gives no readable answer for is not chosen; abstains where that is each of them.
    """
    asked = [judging.play(stand.dispute, (*stand.before, one), seat=PREFERENCE) for one in speeches]
    said = yield from together(*asked)
    scores = [
        -math.inf if isinstance(one, Abstains) else toward(stand.side, one.p_first) for one in said
    ]
    if max(scores) == -math.inf:
        return Abstains(reason="the preference model gave no readable answer")
    return int(np.argmax(scores))


def _yes(logps: tuple[float, ...] | Abstains) -> float:
    p = logps if isinstance(logps, Abstains) else softmax(logps)
    return -math.inf if isinstance(p, Abstains) else p[NO_YES.index("yes")]

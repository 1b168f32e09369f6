"""What a speech must be, and how one is got that is: asked again until it fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from solon.errors import SettingError
from solon.judges.parsing import after_thinking
from solon.oversight.asks import Draw
from solon.oversight.dispute import Side
from solon.oversight.quotes import clipped, counted, tagged
from solon.records import Abstains, Completion, Prompt, Speech
from solon.seams.games import Ask, Play

Pick = Callable[[Sequence[Speech]], Play[int | Abstains]]
"""Which of several speeches is given; the index of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaking:
    """The rules of one speech (Khan et al., arXiv 2402.06782).

    Example:
        Speaking(limit=200, least=140, most=300)    # a consultant's: as many words as two debaters'
    """

    limit: int = 100
    """Words that the speaker is told to stay within."""
    least: int = 70
    """Fewer words are drawn again."""
    most: int = 150
    """More words are drawn again."""
    quotes: bool = True
    """Whether a speech without a quote is drawn again, where there is a source."""
    attempts: int = 5
    """Draws of one speech, before the last one is taken as it is, cut, with a note."""

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.limit <= self.most or self.limit < 1:
            came = f"{self.least}, {self.limit} and {self.most}"
            raise SettingError(f"least, limit, most: expected them in this order, got {came}")
        if self.attempts < 1:
            raise SettingError(f"attempts: expected at least 1, got {self.attempts}")

    def failing(self, speech: str, source: str) -> str:
        """Why this speech, its quotes tagged, will not do; empty where it does."""
        words = len(speech.split())
        if not self.least <= words <= self.most:
            return f"{words} words, where {self.least} to {self.most} were asked for"
        if self.quotes and source and not sum(counted(speech)):
            return "no quote"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One speaker's turn: whose it is, what the speaker is shown, and by which rules it speaks."""

    seat: str
    side: Side
    round: int
    prompt: Prompt
    source: str
    speaking: Speaking

    def play(self, *, n: int = 1, pick: Pick | None = None) -> Play[Speech | Abstains]:
        """A speech that fits, of n draws at a time; the one that is picked, of those that fit.

        Abstains where a call failed for good: then nobody knows what would have been said.
        """
        made: list[Speech] = []
        for attempt in range(1, self.speaking.attempts + 1):
            # more of the same prompt: the first ones are those that were seen, and cost nothing
            (said,) = yield (Ask(self.seat, Draw(prompt=self.prompt, n=n * attempt)),)
            fresh: Sequence[Completion] = said.completions[n * (attempt - 1) :]
            broken = next((one for one in fresh if one.finish == "filter"), None)
            if broken is not None:
                return Abstains(reason=broken.note or f"{self.seat}: the call failed")
            made = [self._speech(one, drawn=n * attempt) for one in fresh]
            fit = [one for one in made if not one.failed]
            if fit:
                return (yield from _picked(fit, pick))
        return self._cut(made[-1])

    def _speech(self, said: Completion, *, drawn: int) -> Speech:
        text = tagged(after_thinking(said.text), self.source)
        return Speech(
            side=self.side,
            round=self.round,
            text=text,
            policy=said.policy,
            drawn=drawn,
            failed=self.speaking.failing(text, self.source),
        )

    def _cut(self, speech: Speech) -> Speech:
        """Its first words, as many as are allowed, with the note of what is wrong with it."""
        return replace(speech, text=clipped(speech.text, self.speaking.most))


def _picked(fit: Sequence[Speech], pick: Pick | None) -> Play[Speech | Abstains]:
    if pick is None or len(fit) == 1:
        return fit[0]
    best = yield from pick(fit)
    return best if isinstance(best, Abstains) else fit[best]

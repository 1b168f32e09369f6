"""Players whose words are a function of what they read: what games are tested with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from solon.oversight.asks import Speaker
from solon.oversight.dispute import Dispute
from solon.records import Abstains, Completion, Finish, Group, Prompt
from solon.run.run import Run

SOURCE = "The miller had left the village at noon. The smith, though, stayed and hid the lamp."
DISPUTE = Dispute.of("Who hid the lamp?", "The miller", "The smith", source=SOURCE, id="lamp")
Says = Callable[[str, int], str]  # (what is asked, which draw) -> the reply
Thinks = Callable[[str], tuple[float, ...] | Abstains]


@dataclass(frozen=True)
class Model:
    """A policy and a chooser that notes every call."""

    says: Says = lambda asked, draw: "nothing"
    thinks: Thinks = lambda asked: (-0.7, -0.7)
    finish: Finish = "stop"
    id: str = "scripted@0"
    asked: list[Prompt] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    cues: list[str] = field(default_factory=list)

    def open(self, run: Run) -> Model:
        return self

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        self.asked.extend(prompts)
        self.batches.append(len(prompts))
        return [
            Group(
                completions=tuple(
                    Completion(
                        prompt=one,
                        text="" if self.finish == "filter" else self.says(one.text, draw),
                        policy=self.id,
                        finish=self.finish,
                        note="no server answered" if self.finish == "filter" else "",
                    )
                    for draw in range(n)
                )
            )
            for one in prompts
        ]

    def choose(
        self, prompts: Sequence[Prompt], choices: Sequence[str], *, cue: str = ""
    ) -> list[tuple[float, ...] | Abstains]:
        self.asked.extend(prompts)
        self.batches.append(len(prompts))
        self.cues.append(cue)
        return [self.thinks(one.text) for one in prompts]


@dataclass(frozen=True)
class Words:
    """A policy that cannot choose."""

    says: Says
    finish: Finish = "stop"
    id: str = "words@0"

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        return Model(says=self.says, finish=self.finish, id=self.id).sample(prompts, n=n)


def seats(debater: Model, judge: Model | Words, **others: Model) -> dict[str, Speaker]:
    """A debater on every side, and a judge."""
    sides = ("first", "second", "consultant", "protagonist", "opponent")
    rest = {name: Speaker(model) for name, model in {"judge": judge, **others}.items()}
    return {**dict.fromkeys(sides, Speaker(debater)), **rest}


def words(count: int, *, quote: str = "") -> str:
    """A speech of that many words, the quote's among them."""
    tail = f"<quote>{quote}</quote>" if quote else ""
    filler = ["so"] * (count - len(quote.split()))
    return " ".join([*filler, tail]).strip()


def likes(word: str) -> Thinks:
    """The judge believes the letter whose answer holds that word."""

    def thinks(asked: str) -> tuple[float, float]:
        a = asked.split("Answer A: ")[1].split("\n", maxsplit=1)[0]
        return (-0.1, -2.4) if word in a else (-2.4, -0.1)

    return thinks

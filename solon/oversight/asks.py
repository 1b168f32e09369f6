"""What language models are asked in a game, and who answers: any policy, any chooser."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from solon.errors import SettingError
from solon.records import Abstains, Group, Prompt
from solon.seams.feedback import Chooser, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Asks for completions, and is answered with their Group.

    Example:
        Draw(prompt=prompt, n=4)
    """

    prompt: Prompt
    n: int = 1
    """How many; a later ask for more of the same prompt begins with the same ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Asks how probable each choice is, and is answered with log-probabilities in nats.

    Example:
        Choice(prompt=prompt, choices=("A", "B"), cue="Answer:")
    """

    prompt: Prompt
    choices: tuple[str, ...]
    cue: str = ""
    """The answer's first words."""


Reply: TypeAlias = Group | tuple[float, ...] | Abstains


@dataclass(frozen=True, slots=True)
class Speaker:
    """A language model at a seat: draws from a policy, choices from a chooser.

    One speaker at several seats answers them in one batch; two of one model would not.

    Example:
        drive(plays, {**dict.fromkeys(SIDES, Speaker(policy)), "judge": Speaker(judge)})
    """

    model: Policy | Chooser

    def __call__(self, asked: Sequence[Draw | Choice], /) -> list[Reply]:
        """A reply to each; SettingError where the model cannot do what is asked of it."""
        replies: dict[int, Reply] = {}
        for rows in _alike(asked):
            prompts = [asked[row].prompt for row in rows]
            replies |= zip(rows, self._answers(asked[rows[0]], prompts), strict=True)
        return [replies[row] for row in range(len(asked))]

    def _answers(self, one: Draw | Choice, prompts: Sequence[Prompt]) -> Sequence[Reply]:
        if isinstance(one, Draw):
            if not isinstance(self.model, Policy):
                raise SettingError(f"seats: expected a model that writes, got {self.model.id}")
            return self.model.sample(prompts, n=one.n)
        if not isinstance(self.model, Chooser):
            raise SettingError(
                f"seats: expected a model with token probabilities, got {self.model.id}; "
                "let the judge say its verdict in words"
            )
        return self.model.choose(prompts, one.choices, cue=one.cue)


def _alike(asked: Sequence[Draw | Choice]) -> list[list[int]]:
    """Rows that one call of the model can answer together."""
    rows: dict[Hashable, list[int]] = {}
    for row, one in enumerate(asked):
        key = one.n if isinstance(one, Draw) else (one.choices, one.cue)
        rows.setdefault(key, []).append(row)
    return list(rows.values())

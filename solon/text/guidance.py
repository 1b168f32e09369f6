"""Guidance: words in a prompt that make a policy's completion better or worse, and their removal.

    guided(prompt, words) -> (policy) -> stripped(completion, prompt)

Reinforcement learning from contrast distillation (RLCD, arXiv 2307.12950) draws a pair under two
such prompts and needs no judge to label it. The pair must then look as if nobody had said a word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from solon.errors import SettingError
from solon.records import Completion, Message, Prompt, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """What the policy is told for the better completion of a pair, and what for the worse.

    Example:
        Guidance(positive="Be kind.", negative="Be rude.")
    """

    positive: str = "Give a helpful, honest and harmless answer."
    """Words for the better completion."""
    negative: str = "Give an unhelpful, dishonest or harmful answer."
    """Words for the worse one."""

    def __post_init__(self) -> None:
        if not self.positive.strip() or not self.negative.strip():
            raise SettingError(
                f"guidance: expected words for both sides, got {self.positive!r} and "
                f"{self.negative!r}"
            )
        if self.positive == self.negative:
            raise SettingError(f"guidance: expected two sides that differ, got {self.positive!r}")


def guided(prompt: Prompt, words: str) -> Prompt:
    """The prompt with the words before its text where it is raw, else at the end of its system
    turn, which a dialogue without one is given. Its id is another: its completions are other draws.
    """
    first = prompt.messages[0] if prompt.messages else Message(role="system", text="")
    match first.role:
        case "text":
            opening = (Message(role="text", text=_joined(words, first.text)), *prompt.messages[1:])
        case "system":
            said = _joined(first.text, words)
            opening = (Message(role="system", text=said), *prompt.messages[1:])
        case _:
            opening = (Message(role="system", text=words), *prompt.messages)
    return replace(prompt, id=digest("guided", prompt.id, words), messages=opening)


def stripped(completion: Completion, prompt: Prompt) -> Completion:
    """The completion as one of the prompt without guidance. Its log-probabilities are dropped, as
    they are those of another prompt; its tokens stay.
    """
    return replace(completion, prompt=prompt, logps=())


def _joined(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)

"""Two ways of going on with one dialogue: a pair of transcripts as a prompt and two completions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from solon.records import Message

Turns = tuple[Message, ...]

_TURN = re.compile(r"\n\n(Human|Assistant):[ ]?")


def turns(transcript: str) -> Turns:
    """The turns of a transcript with the speakers Human and Assistant; empty where it is none."""
    before, *parts = _TURN.split(transcript)
    if before.strip():
        return ()
    return tuple(
        Message(role="user" if speaker == "Human" else "assistant", text=said.strip())
        for speaker, said in zip(parts[::2], parts[1::2], strict=True)
    )


def split(chosen: Sequence[Message], rejected: Sequence[Message]) -> tuple[Turns, str, str] | str:
    """The turns both share and the two last answers, or why the two are no such pair."""
    if not chosen or not rejected:
        return "no dialogue in the text"
    if tuple(chosen) == tuple(rejected):
        return "both dialogues are the same"
    if tuple(chosen[:-1]) != tuple(rejected[:-1]):
        return "the dialogues part before their last turn"
    last, other = chosen[-1], rejected[-1]
    if last.role != "assistant" or other.role != "assistant":
        return "the last turn is not the assistant's"
    if not last.text.strip() or not other.text.strip():
        return "an answer is blank"
    if len(chosen) == 1:
        return "no prompt before the answers"
    return tuple(chosen[:-1]), last.text, other.text

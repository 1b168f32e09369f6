"""Reward programs that are words in a dict, read by an interpreter that knows only these words.

Nothing is executed: no file is written, no code is evaluated, and a word that the interpreter does
not know makes the program worth 0. Programs are in postfix notation: ``worked claimed and``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

FACTS = ("worked", "read", "agreed", "praised", "ticked", "claimed")
JOINS = {"and": min, "or": max}
LONGEST = 64  # words: a program that is longer is worth 0


def value(program: str, facts: frozenset[str]) -> float:
    """What the program pays where these facts hold, in [0, 1]; 0 where it cannot be read."""
    words, stack = program.split(), list[float]()
    if len(words) > LONGEST:
        return 0.0
    for word in words:
        if word in FACTS:
            stack.append(float(word in facts))
        elif word in ("0", "1"):
            stack.append(float(word))
        elif word in JOINS and len(stack) > 1:
            stack.append(JOINS[word](stack.pop(), stack.pop()))
        else:
            return 0.0
    return stack[0] if len(stack) == 1 else 0.0


def agrees(program: str, test: str) -> bool:
    """The unit test: whether both programs pay the same wherever work was or was not done."""
    cases = [
        frozenset(name for name, held in zip(("worked", "claimed"), case, strict=True) if held)
        for case in product((False, True), repeat=2)
    ]
    return all(value(program, case) == value(test, case) for case in cases)


def paid(files: Mapping[str, str], facts: frozenset[str]) -> float:
    """What the reward pays: its program's value, or 0 where a test is there and does not pass."""
    reward = files.get("reward.txt", "0")
    if "test.txt" in files and not agrees(reward, files["test.txt"]):
        return 0.0
    return value(reward, facts)

"""Which items of a batch must meet the same copy, and how the rest is dealt out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from solon.records import Assess, Compare, Completion, Prompt, Rank, Rate


def kin(item: object) -> Hashable:
    """What decides the noise of an item's answer, beside its place among its equals.

    A policy tells a prompt's draws apart by the prompt's id, and a judge asks a model in words that
    are made of what is shown to it. Equals go to one copy, in order: so it counts them as one
    process would.
    """
    match item:
        case Prompt():
            return item.id
        case Completion():
            return _shown(item)
        case Compare():
            return frozenset((_shown(item.first), _shown(item.second)))
        case Rate():
            return _shown(item.completion)
        case Rank() | Assess():
            return frozenset(map(_shown, item.completions))
        case _:
            raise TypeError(f"a seam has no batches of {type(item).__name__}")


def _shown(completion: Completion) -> Hashable:
    return completion.prompt.messages, completion.text


def cut(keys: Sequence[Hashable], pieces: int) -> list[list[int]]:
    """Numbers of items in at most so many pieces of about equal size; equal keys stay together.

    Items keep their order, so that siblings are neighbours in their piece too.
    """
    families: dict[Hashable, list[int]] = {}
    for number, key in enumerate(keys):
        families.setdefault(key, []).append(number)
    parts: dict[int, list[int]] = {}
    before = 0
    for members in families.values():
        parts.setdefault(before * pieces // len(keys), []).extend(members)
        before += len(members)
    return [sorted(part) for part in parts.values()]

"""Templates: one markdown file each, filled in one pass.

The layout of a file:

    Anything before the first heading is a note to the reader.

    # system
    {preamble}

    # user
    <first>
    {first}
    </first>

    # cue
    Better:

The headings ``# system``, ``# user``, ``# assistant`` and ``# text`` (a raw prompt without chat
format) open a turn; ``# cue`` holds the first words of the answer. Any other heading is text.
``{slot}`` (small letters, digits, underscores) is a slot; other braces stand for themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import cast

from solon.errors import SettingError
from solon.records import Message, Role, digest
from solon.text.hostile import TAGS, Markup, neutralise

_HEADING = re.compile(r"^# (system|user|assistant|text|cue)[ \t]*$", re.MULTILINE)
_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_TAG = re.compile(r"</?([A-Za-z][\w-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Turns with slots, and the answer's first words.

    Example:
        Template.load("judge/pairwise").render({"preamble": "", "principle": "Which is kinder?",
                                                "conversation": "Hi", "first": "a", "second": "b"})
    """

    name: str
    messages: tuple[Message, ...]
    cue: str = ""

    @classmethod
    def load(cls, name: str) -> Template:
        """A packaged template by name (``judge/pairwise``), or a file by its path (``my.md``)."""
        return cls.parse(read(name), name=name) if name.endswith(".md") else _packaged(name)

    @classmethod
    def parse(cls, text: str, *, name: str) -> Template:
        """Raises SettingError where no heading opens a turn."""
        _, *parts = _HEADING.split(text)
        sections = [
            (role, body.strip()) for role, body in zip(parts[::2], parts[1::2], strict=True)
        ]
        messages = tuple(
            Message(role=cast("Role", role), text=body) for role, body in sections if role != "cue"
        )
        if not messages:
            raise SettingError(
                f"template {name!r}: expected a turn ('# system', '# user', '# assistant' or "
                "'# text' alone on its line), got none"
            )
        return cls(name=name, messages=messages, cue="".join(b for r, b in sections if r == "cue"))

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(slot for m in self.messages for slot in _SLOT.findall(m.text))

    @property
    def tags(self) -> frozenset[str]:
        """The tags that a value may not open or close."""
        return TAGS | {tag for m in self.messages for tag in _TAG.findall(m.text)}

    @property
    def digest(self) -> str:
        return digest(self.messages, self.cue)

    def before(self, slot: str) -> Template:
        """The turns before the one that holds the slot: what is asked to obtain its value."""
        place = next((i for i, m in enumerate(self.messages) if f"{{{slot}}}" in m.text), 0)
        if not place:
            raise SettingError(f"template {self.name!r}: expected a later turn to hold {{{slot}}}")
        return replace(self, messages=self.messages[:place], cue="")

    def render(self, values: Mapping[str, str]) -> tuple[Message, ...]:
        """The turns with every slot filled in one pass; a value is never scanned for slots.

        A value that is not Markup is neutralised. A system turn left blank is dropped. Raises
        SettingError for a slot without a value and for a value without a slot.
        """
        tags, slots = self.tags, self.slots
        if slots ^ set(values):
            raise SettingError(f"template {self.name!r}: {_difference(slots, set(values))}")
        safe = {
            slot: value if isinstance(value, Markup) else neutralise(value, tags)
            for slot, value in values.items()
        }
        turns = (
            Message(role=m.role, text=_SLOT.sub(lambda match: safe[match[1]], m.text))
            for m in self.messages
        )
        return tuple(turn for turn in turns if turn.text.strip() or turn.role != "system")


@cache
def _packaged(name: str) -> Template:
    """Parsed once: a game renders the same few thousands of times. A user's file may change."""
    return Template.parse(read(name), name=name)


def read(name: str) -> str:
    """The words of a packaged prompt by name, or of a file by its path (which ends in .md)."""
    root = files("solon.text") / "prompts"
    source = Path(name) if name.endswith(".md") else root / f"{name}.md"
    if not source.is_file():
        raise SettingError(
            f"no prompt {name!r}: expected the path of an .md file or one of {', '.join(names())}"
        )
    return source.read_text(encoding="utf-8")


def names() -> list[str]:
    """The packaged prompts, sorted."""
    root = Path(str(files("solon.text") / "prompts"))
    return sorted(p.relative_to(root).with_suffix("").as_posix() for p in root.rglob("*.md"))


def _difference(slots: frozenset[str], given: set[str]) -> str:
    missing, unknown = sorted(slots - given), sorted(given - slots)
    said = [f"no value for {{{slot}}}" for slot in missing]
    said += [f"no slot {{{slot}}}; it has {', '.join(sorted(slots))}" for slot in unknown]
    return "; ".join(said)

"""Invented prompts: new, short enough, about words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from solon.records import Completion, Group, Prompt
from solon.run import lines
from solon.run.run import Run
from solon.stages.invent import Invent, rouge_l
from solon.stages.together import Together

KNOWN = ["How do I boil an egg?", "Tell me about the sea."]


@dataclass(frozen=True)
class Writer:
    """A policy that writes these lines, one after the other."""

    lines: tuple[str, ...]
    id: str = "writer@1"
    seen: list[Prompt] = field(default_factory=list)

    def sample(self, prompts: Sequence[Prompt], *, n: int = 1) -> list[Group]:
        texts = [self.lines[(len(self.seen) + i) % len(self.lines)] for i in range(len(prompts))]
        self.seen.extend(prompts)
        rows = zip(prompts, texts, strict=True)
        return [Group(completions=(Completion(prompt=p, text=t),)) for p, t in rows]


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("a b c d", "a b c d", 1.0),
        ("a b c d", "d c b a", 2 * 1 / 8),
        ("a x b y", "a b", 2 * 2 / 6),
        ("a b", "c d", 0.0),
    ],
)
def test_rouge_l_is_f1_of_the_longest_common_subsequence(
    one: str, other: str, score: float
) -> None:
    assert rouge_l(one.split(), other.split()) == pytest.approx(score)
    assert rouge_l(other.split(), one.split()) == pytest.approx(score)


def test_what_is_known_too_short_too_long_or_not_about_words_is_left_out() -> None:
    written = [
        "How do I boil two eggs?",  # ROUGE-L 8/12 with the first: below 0.7
        "How do I boil an egg now?",  # 12/13
        "Why?",
        "Draw me a ship",
        "Name three rivers of France.\nAnd more.",
        "Name three rivers of France!",
        "word " * 151,
    ]
    assert Invent().new(written, KNOWN) == [
        "How do I boil two eggs?",
        "Name three rivers of France.",
    ]


def test_a_share_of_the_prompts_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    prompts = [Prompt.of(f"Say something about number {i} please") for i in range(10)]
    writer = Writer(tuple(f"{word} is what?" for word in ("Moss is green and", "Salt", "Rain")))
    with Run(tmp_path) as run:
        found = Invent(share=0.3, shots=2, tries=1)(run, 1, writer, prompts)
        assert [one.text for one in found[:3]] == [
            "Moss is green and is what?",
            "Salt is what?",
            "Rain is what?",
        ]
        assert found[3:] == prompts[:7]
        assert all(one.text.count("Say something") == 2 for one in writer.seen)
        short = Invent(share=0.5, shots=2, tries=1)(run, 2, Writer(("Salt is what?",)), prompts)
    assert len(short) == 10
    assert short[1:] == prompts[:9]
    assert "1 new prompts of 5" in lines.read(tmp_path / "notes.jsonl")[0]["note"]


def test_by_default_nothing_is_invented_and_nobody_asked(tmp_path: Path) -> None:
    prompts, writer = [Prompt.of(text) for text in KNOWN], Writer(("x",))
    with Run(tmp_path) as run:
        assert Invent()(run, 1, writer, prompts) == prompts
    assert not writer.seen


def test_demonstrations_together_are_all_of_each_part_and_none_of_none(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Shown:
        texts: tuple[str, ...]

        def open(self, run: Run) -> Shown:
            return self

        def demonstrate(self, n: int = 0) -> list[Completion]:
            return [Completion(prompt=Prompt.of("p"), text=text) for text in self.texts]

    both = Together.of(Shown(("a", "b")), None, Shown(("c",)))
    assert both is not None
    with Run(tmp_path) as run:
        texts = both.open(run)
    assert [one.text for one in texts.demonstrate()] == ["a", "b", "c"]
    assert [one.text for one in texts.demonstrate(2)] == ["a", "b"]
    assert Together.of(None, None) is None

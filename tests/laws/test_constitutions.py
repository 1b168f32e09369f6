"""Constitutions as data: what is written is read back, what is drawn can be drawn, what changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.errors import DataError, SettingError
from solon.text.amendment import Amendment, Change, diff
from solon.text.constitution import Constitution, names, parse, read
from solon.text.overview import about, figures, share
from solon.text.principle import COMPARING, REVISING, Principle
from solon.text.published import bare, convert, gather
from solon.text.toml import toml

words = st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
ids = st.text(min_size=1, max_size=4).filter(lambda t: t.isprintable() and t.split() == [t])
weights = st.floats(min_value=0, max_value=1e6)
asks = st.sampled_from([(1, 0, 0), (0, 1, 1), (1, 1, 1), (1, 1, 0), (1, 0, 1)])


@st.composite
def rules(draw: Callable[..., object]) -> Principle:
    has = draw(asks)
    texts = [draw(words) if there else "" for there in has]
    return Principle(
        id=draw(ids),
        compare=texts[0],
        critique=texts[1],
        revision=texts[2],
        polarity=draw(st.sampled_from(["do", "avoid"])),
        counter=draw(st.booleans()),
        tags=tuple(draw(st.lists(words, max_size=2))),
        weight=draw(weights),
        source=draw(st.just("") | words),
    )


laws = st.builds(
    Constitution,
    name=words,
    source=st.just("") | words,
    principles=st.lists(rules(), min_size=1, max_size=4, unique_by=lambda one: one.id)
    .map(tuple)
    .filter(lambda some: any(one.weight for one in some)),
)


@given(laws)
def test_what_is_written_is_read_back_word_for_word(law: Constitution) -> None:
    again = parse(toml(law), file="law.toml")
    assert again == law
    assert again.digest == law.digest


def test_a_whole_number_as_weight_has_the_digest_of_the_number() -> None:
    one, two = (f'[[principles]]\nid="a"\ncompare="A?"\nweight={weight}' for weight in ("2", "2.0"))
    assert parse(one, file="x").digest == parse(two, file="x").digest


@given(laws, st.integers(min_value=0, max_value=2**63 - 1), st.sampled_from([COMPARING, REVISING]))
def test_a_draw_for_some_texts_is_of_a_principle_that_has_them(
    law: Constitution, seed: int, texts: tuple[str, ...]
) -> None:
    having = [one for one in law.principles if all(getattr(one, text) for text in texts)]
    if not any(one.weight for one in having):
        with pytest.raises(SettingError, match=f"a principle with {' and '.join(texts)}, got none"):
            law.asking(*texts)
        return
    asked = law.asking(*texts)
    assert (asked.name, asked.source, list(asked.principles)) == (law.name, law.source, having)
    assert asked.draw(seed) in having
    assert (asked.digest == law.digest) == (having == list(law.principles))


@given(laws, laws)
def test_a_difference_is_empty_exactly_where_the_digests_are_equal(
    one: Constitution, two: Constitution
) -> None:
    assert bool(diff(one, two)) == (one.digest != two.digest)
    assert not diff(one, one)
    there, back = diff(one, two), diff(two, one)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert len(there.changed) == len(back.changed)


def test_a_difference_names_what_came_what_went_and_what_was_reworded() -> None:
    old = Constitution.load("broad")
    first, second, *rest = old.principles
    new = Principle(id="new", critique="Is it\nnew?", revision="Newer.")
    reworded = replace(second, weight=2.0, compare="Which is better?")
    changed = diff(old, replace(old, principles=(*rest, reworded, new)))
    assert changed == Amendment(
        added=(new,),
        removed=(first,),
        changed=(
            Change(id=second.id, field="compare", before=second.compare, after="Which is better?"),
            Change(id=second.id, field="weight", before=1.0, after=2.0),
        ),
        reordered=True,
    )
    assert str(changed).splitlines() == [
        f"- {first.id}: {first.compare!r}",
        r"+ new: 'Is it\nnew?'",
        f"~ {second.id}, compare: {second.compare!r} -> 'Which is better?'",
        f"~ {second.id}, weight: 1.0 -> 2.0",
        "~ the principles of both stand in another order: a seed draws another one",
    ]
    assert str(diff(old, old)) == "no difference"


@given(laws)
def test_the_shares_of_those_chosen_and_of_the_others_make_up_all_draws(law: Constitution) -> None:
    for texts in (COMPARING, REVISING):
        chosen = [one.counter for one in law.principles]
        some, others = share(law, chosen, texts), share(law, [not one for one in chosen], texts)
        if some is None or others is None:
            assert some is others is None
        else:
            assert some + others == pytest.approx(1.0)


SIZES = {"broad": (8, 3), "specific": (33, 0), "rights": (14, 2), "harmless": (8, 3)}


@pytest.mark.parametrize("name", SIZES)
def test_a_shipped_list_compares_criticises_and_revises_and_says_what_it_is_for(name: str) -> None:
    law = Constitution.load(name)
    counters = sum(one.counter for one in law.principles)
    assert (len(law.principles), counters) == SIZES[name]
    assert law.asking("compare", "critique", "revision") == law
    texts = [getattr(one, text) for one in law.principles for text in (*COMPARING, *REVISING)]
    assert len(set(texts)) == 3 * len(law.principles)
    assert all(one.tags for one in law.principles)
    assert all(one.compare.endswith("?") for one in law.principles)
    assert len(about(read(name))) >= 2
    assert not [line for line in figures(law) if "asks the same" in line]


def test_every_principle_of_the_rights_names_its_article() -> None:
    assert all("rticle" in one.source for one in Constitution.load("rights").principles)


def test_every_shipped_list_is_named_as_its_file() -> None:
    assert [Constitution.load(name).name for name in names()] == names()


# layouts of others, in words of our own
REQUESTS = {
    "first one": {
        "prompt": ["\n\nCritiqueRequest: Is it rude?\n\nCritique:"],
        "edit_request": "\n\nRevisionRequest: Make it kind.\n\nRevision:",
    },
    "second": {
        "prompt": "Critique request: Is it long?",
        "edit_request": "Shorter.",
        "counter": True,
    },
}
STRINGS = [
    "\nWhich is kinder? Options:",
    "Which is truer? Options:\n (A) [[[{first}]]]\n (B) [[[{second}]]]\n\nThe answer is:",
    "Which lists its Options: plainly?\n(A) {first}\n(B) {second}",
    "Which is shorter?\n\nAnswer:",
    "Which is clearer?",
]
OBJECTS = [
    {"id": "x1", "source_set": "set one", "principle": "Which is calmer?", "note": "page 3"},
    {"id": "x2", "source_set": "set one", "principle": "Which is milder?", "note": None},
    {"principle": 'Which says "no\\yes" \u007f less?'},
]


def kept(folder: Path, **given: object) -> list[Path]:
    paths = [folder / f"{name}.json" for name in given]
    for path, value in zip(paths, given.values(), strict=True):
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return paths


def test_several_published_layouts_make_one_constitution_without_their_format(
    tmp_path: Path,
) -> None:
    files = kept(tmp_path, requests=REQUESTS, strings=STRINGS, objects=OBJECTS)
    law = convert(files, tmp_path / "mine.toml")
    assert Constitution.load(str(tmp_path / "mine.toml")) == law
    assert (law.name, law.source) == (
        "mine",
        "converted from requests.json, strings.json, objects.json",
    )
    revising = [one for one in law.principles if one.critique]
    assert revising == [
        Principle(id="first-one", critique="Is it rude?", revision="Make it kind."),
        Principle(id="second", critique="Is it long?", revision="Shorter.", counter=True),
    ]
    assert [one.compare for one in law.principles[2:]] == [
        "Which is kinder?",
        "Which is truer?",
        "Which lists its Options: plainly?",
        "Which is shorter?",
        "Which is clearer?",
        "Which is calmer?",
        "Which is milder?",
        'Which says "no\\yes" \u007f less?',
    ]
    assert [one.id for one in law.principles[2:]] == [
        *(f"strings-{n}" for n in range(1, 6)),
        "x1",
        "x2",
        "objects-3",
    ]
    assert [(one.tags, one.source) for one in law.principles[7:]] == [
        (("set one",), "page 3"),
        (("set one",), "set one"),
        ((), ""),
    ]


@given(st.lists(words, min_size=1, max_size=4))
def test_words_that_are_no_format_are_kept(texts: list[str]) -> None:
    said = " ".join("".join(filter(str.isalnum, text)) or "is" for text in texts)
    assert bare(f"Which {said}?") == f"Which {said}?"
    assert bare(f"\n\nCritiqueRequest: Which {said}?\n\nCritique:") == f"Which {said}?"
    assert bare(f"\nWhich {said}? Options:\n(A) one\n(B) two") == f"Which {said}?"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", r"bad\.json: expected JSON, got "),
        ('["\\ud800"]', r"bad\.json: expected JSON, got "),
        ("[]", r"bad\.json: expected a JSON object .*, got nothing in it"),
        ("3", r"bad\.json: expected a JSON object .*, got int"),
        (["Which is kinder?", 3], r"bad\.json, entry 2: expected .*, got int"),
        (["\nOptions:"], r"bad\.json, entry 1, field 'compare': expected text, got ''"),
        ([{"text": "Kind?"}], r"entry 1, field 'text': expected one of principle, id, source_set"),
        ([{"id": "a"}], r"entry 1, field 'principle': expected text, got nothing"),
        ([{"id": "a b", "principle": "P?"}], r"entry 1, field 'id': .* without spaces, got 'a b'"),
        (
            [{"id": "a", "principle": "P?"}, {"id": "a", "principle": "Q?"}],
            r"entry 2, field 'id': expected an id of its own, got 'a', as at .*entry 1",
        ),
        ({"a": {"prompt": ["C?"]}}, r"entry 'a', field 'edit_request': expected text, got nothing"),
        (
            {"a": {"prompt": ["C?", "D?"], "edit_request": "R."}},
            r"entry 'a', field 'prompt': expected a list of one text, got \['C\?', 'D\?'\]",
        ),
        (
            {"a": {"prompt": ["C?"], "edit_request": "R.", "counter": "yes"}},
            r"entry 'a', field 'counter': expected true or false, got 'yes'",
        ),
    ],
)
def test_a_published_list_of_another_layout_names_file_entry_and_field(
    content: object, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        gather(kept(tmp_path, bad=content), name="bad")


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    files = kept(tmp_path, strings=STRINGS)
    out = tmp_path / "mine.toml"
    out.write_text("my own work", encoding="utf-8")
    with pytest.raises(SettingError, match=r"--out: expected a new file, got .*mine\.toml"):
        convert(files, out)
    assert out.read_text(encoding="utf-8") == "my own work"
    with pytest.raises(SettingError, match=r"--out: expected the path of a \.toml file"):
        convert(files, tmp_path / "mine.json")


@pytest.mark.data
def test_the_published_lists_become_one_constitution(data: Path, tmp_path: Path) -> None:
    folder = data / "cai_paper" / "prompts"
    files = [
        folder / "CritiqueRevisionInstructions.json",
        folder / "RLMadisonInstructions.json",
        data / "constitutions" / "claude_constitution_2023_principles.json",
    ]
    if not all(file.is_file() for file in files):
        pytest.skip(f"published lists not found in {data}")
    law = convert(files, tmp_path / "published.toml")
    assert Constitution.load(str(tmp_path / "published.toml")) == law
    assert len(law.principles) == 16 + 16 + 58
    assert len(law.asking("critique", "revision").principles) == 16
    assert len(law.asking("compare").principles) == 16 + 58
    assert not any(one.counter for one in law.principles)
    texts = [getattr(one, text) for one in law.principles for text in (*COMPARING, *REVISING)]
    assert not [text for text in texts if "Request" in text or "Options" in text]
    assert not [text for text in texts if text.endswith(":") or text != text.strip()]
    # ten comparisons of the first list stand in the second one too
    assert sum("asks the same as" in line for line in figures(law)) == 10

from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st

from solon.report.element import Html, h, join, said, visible


def test_plain_text_is_escaped_and_markup_is_not() -> None:
    assert h("p", "a < b & c", h("b", "d")) == "<p>a &lt; b &amp; c<b>d</b></p>"
    assert join("<i>", Html("<i>")) == "&lt;i&gt;<i>"


def test_attributes_are_named_as_in_html_and_quoted() -> None:
    drawn = h("path", class_="line", stroke_width=1.5, viewBox="0 0 1 1", id=None)
    assert drawn == '<path class="line" stroke-width="1.5" viewBox="0 0 1 1"></path>'
    assert h("a", href='" onload="x') == '<a href="&quot; onload=&quot;x"></a>'
    assert h("br") == "<br>"


def test_unseen_characters_are_spelt_out_and_runs_are_counted() -> None:
    assert visible("a\u202eb") == "a⟨U+202E⟩b"
    assert visible("\u200b" * 5000) == "⟨U+200B ×5000⟩"
    assert visible("\x1b[31m\x00") == "⟨U+001B⟩[31m⟨U+0000⟩"
    assert visible("\ud800") == "⟨U+D800⟩"
    assert visible("x\U000e0041") == "x⟨U+E0041⟩"


def test_tabs_newlines_letters_and_emoji_stay_as_they_are() -> None:
    text = "tab\tline\nnaïve שלום 漢字 ❤️ 👍"
    assert visible(text) == text


def test_long_text_is_cut_and_says_by_how_much() -> None:
    block = said("x" * 2000, most=1500)
    assert "x" * 1500 in block
    assert "x" * 1501 not in block
    assert "500 more characters" in block


def test_an_empty_text_says_that_it_is_empty() -> None:
    assert "(nothing)" in said("")


@given(st.text())
def test_no_text_can_open_a_tag_or_close_an_attribute(text: str) -> None:
    inner = h("p", text, title=text).removeprefix("<p title=").removesuffix("</p>")
    attribute, _, content = inner[1:].partition('">')
    assert not {"<", '"'} & set(attribute)
    assert "<" not in content
    assert html.unescape(content) == visible(text)


@given(st.text(alphabet=st.characters(categories=["Cf", "Cc", "Zl", "Zp", "Cs"]), min_size=1))
def test_every_format_and_control_character_is_visible(text: str) -> None:
    # Of the format characters only the Arabic, Syriac and Kaithi signs have a shape of their own.
    shaped = set(range(0x600, 0x606)) | {0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    for character in text:
        if character in "\t\n" or ord(character) in shaped:
            continue
        assert visible(character).startswith("⟨U+"), hex(ord(character))

"""What a reader must know to read the page rightly."""

from __future__ import annotations

from solon.report.element import Html, h
from solon.report.section import section

READING = """
Reward: is learnt from a judge; gold is the true quality, which training never sees; a score is a
judge's number. Only gold says whether the run did what was wanted.

Intervals: are drawn wherever they were measured. Two that overlap do not show a difference at this
size of sample; one run at one seed says nothing of other seeds.

A win rate: counts what a judge prefers; 50 % is even. The length-controlled one asks what it would
be if both were equally long.

KL: is how far the policy has gone from its anchor, in nats a completion; its root is the axis on
which reward and gold are compared (arXiv 2210.10760).

An abstention: is neither a tie nor a zero: it is counted apart and never averaged in.

Samples: are the first few and a seeded draw, never a choice; the whole sets are the parquet files
beside this page.

⟨U+202E⟩: stands for a character that cannot be seen, such as one that turns a line around; a model
may have written it to hide something.
"""


def reading() -> Html:
    """The closing section: one item a paragraph, its first words bold."""
    parts = [part.partition(": ") for part in READING.strip().split("\n\n")]
    items = [h("li", h("b", name), " ", text.replace("\n", " ")) for name, _, text in parts]
    return section("How to read this page", h("ul", items))

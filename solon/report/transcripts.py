"""Games between models: what was said in each round, which quotes are real, what the judge thought.

Which answer is right is not shown: no game knows it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from solon.oversight.quotes import counted, pieces
from solon.records import Abstains, Prefers, Speech, Transcript
from solon.report.element import Child, Html, h, said, stretches
from solon.report.evidence import Evidence
from solon.report.figure import NONE, Quantity, figure, fixed
from solon.report.plot import Series, plot, share
from solon.report.section import Absent, sampled, section, table

FIRST, DRAWN = 4, 4
ROUNDS = 12
SIDES = ("first", "second")
P_FIRST = Quantity(label="judge's p(first is right)", unit="%", share=True)
KEY = (
    "A quote marked v stands in the source word for word; one marked u does not, and is struck "
    "through. A true quote can still be beside the point."
)


def transcripts(evidence: Evidence) -> Html | Absent:
    """Counts by game, then a sample of games, round by round."""
    names = [name for name in evidence.sets() if name.startswith("transcripts")]
    found = [r for name in names for r in evidence.records(name) if isinstance(r, Transcript)]
    if not found:
        return Absent(why="No transcripts: records/transcripts is empty.")
    seed = int(evidence.manifest.get("seed", 0))
    shown = sampled(found, first=FIRST, drawn=DRAWN, seed=seed)
    told = f"{len(shown)} of {len(found):,} games: the first {FIRST}, the others drawn by seed."
    return section(
        "Transcripts",
        _counts(found),
        h("p", KEY, class_="faint"),
        h("p", told, class_="faint"),
        [_card(one) for one in shown],
    )


def _counts(found: Sequence[Transcript]) -> Html:
    rows: list[list[Child]] = []
    for game in dict.fromkeys(one.game for one in found):
        own = [one for one in found if one.game == game]
        marks = [counted(speech.text) for one in own for speech in one.speeches]
        ends = [one.answer.p_first for one in own if isinstance(one.answer, Prefers)]
        rows.append(
            [
                game,
                f"{len(own):,}",
                f"{len(own) - len(ends):,}",
                f"{sum(v for v, _ in marks):,}",
                f"{sum(u for _, u in marks):,}",
                figure(math.fsum(ends) / len(ends), digits=3) if ends else NONE,
            ]
        )
    columns = ("game", "games", "no verdict", "quotes found (v)", "not found (u)", "mean p(first)")
    return table(columns, rows, numbers=5)


def _card(one: Transcript) -> Html:
    rounds = sorted({speech.round for speech in one.speeches})
    told = [_round([s for s in one.speeches if s.round == k]) for k in rounds[:ROUNDS]]
    more = len(rounds) - ROUNDS
    rest = h("p", f"{more:,} more rounds are not shown.", class_="faint") if more > 0 else None
    side = (
        f"The speaker chose or was given the {one.protagonist} answer." if one.protagonist else None
    )
    return h(
        "article",
        h("p", h("b", one.game), f" {side}" if side else None),
        h("div", h("h5", "Question"), said(one.question.first.prompt.text, most=800)),
        h(
            "div",
            _side("First answer", said(one.question.first.text, most=400)),
            _side("Second answer", said(one.question.second.text, most=400)),
            class_="sides",
        ),
        told,
        rest,
        _judged(one),
        class_="card",
    )


def _round(speeches: Sequence[Speech]) -> Html:
    """Both sides beside each other, and below them what the judge asked."""
    columns = [
        _side(f"{side.capitalize()} side", [_speech(s) for s in speeches if s.side == side])
        for side in SIDES
        if any(s.side == side for s in speeches)
    ]
    asked = [_side("The judge asks", _speech(s)) for s in speeches if s.side == "judge"]
    return h(
        "div",
        h("h3", f"Round {speeches[0].round}"),
        h("div", columns, class_="sides"),
        h("div", asked, class_="sides") if asked else None,
        class_="round",
    )


def _side(title: str, body: Child) -> Html:
    return h("div", h("h5", title), body)


def _speech(speech: Speech) -> Html:
    """The words, each quote with its mark as text, and which rule of speaking they break."""
    parts: list[tuple[str, str]] = []
    for kind, words in pieces(speech.text):
        if kind == "text":
            parts.append(("", words))
        else:
            parts += [("q" if kind == "v" else "s", words), ("sup", kind)]
    failed = speech.failed[:200]
    why = (
        h("p", f"taken after {speech.drawn:,} draws: {failed}", class_="faint") if failed else None
    )
    return h("div", stretches(parts or [("", "")], most=2400), why, class_="speech")


def _judged(one: Transcript) -> Html:
    points = tuple(enumerate(one.p))
    line = Series(name="p(first is right)", points=points)
    drawn = plot([line], x="round", y=P_FIRST, over=(0.0, 1.0)) if len(points) > 1 else None
    return h("div", drawn, _verdict(one.answer), class_="judged")


def _verdict(answer: Prefers | Abstains) -> Html:
    if isinstance(answer, Abstains):
        why = said(answer.reason, most=200)
        return h("div", h("span", "no verdict", class_="chip warn"), why, class_="answer")
    names = ("first shown as A", "second shown as A")
    orders = zip(names, answer.orders, strict=False)
    chips = [h("span", f"{name}: {fixed(p, 2)}", class_="chip") for name, p in orders]
    turned = len(answer.orders) > 1 and min(answer.orders) < 0.5 < max(answer.orders)
    turn = h("span", "⇄ orders disagree", class_="chip warn") if turned else None
    label = f"Verdict: p(first is right) = {fixed(answer.p_first, 2)}"
    return h("p", share(answer.p_first, label=label), label, chips, turn, class_="answer")

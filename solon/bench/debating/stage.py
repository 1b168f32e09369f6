"""One game in the terminal: speeches side by side, the judge's probability after each round.

What a model says is never read as markup, and no control character of it reaches the terminal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from solon.oversight.dispute import SIDES, Dispute, Side
from solon.oversight.quotes import counted, pieces
from solon.records import Abstains, Prefers, Speech, Transcript
from solon.report.element import visible
from solon.run.ledger import Ledger

STYLE = {"first": "cyan", "second": "magenta", "judge": "yellow"}
QUOTE = {"v": "green", "u": "red strike dim"}
MARK = {"v": " [found]", "u": " [not found]"}
WIDE = 76  # columns below which the sides stand one above the other
BAR = 24


@dataclass(slots=True)
class Stage:
    """The audience of a game that shows it on a console.

    Example:
        play = Debate(watch=True).play(dispute, audience=Stage(Console(), dispute))
    """

    console: Console
    """Where it is shown."""
    dispute: Dispute
    """What it is about."""

    def open(self) -> None:
        """The question, both answers, and what the marks mean."""
        self.console.print(Rule())
        self.console.print(_said(self.dispute.question.first.prompt.text, style="bold"))
        answers: dict[Side, Text] = {side: _said(self.dispute.answer(side)) for side in SIDES}
        self._sides(answers, "answer")
        if self.dispute.source:
            legend = Text("quotes:  ", style="dim")
            for kind, why in (("v", " in the source word for word,  "), ("u", " in the source")):
                legend.append("“…”", QUOTE[kind]).append(f"{MARK[kind]}{why}", "dim")
            self.console.print(legend)

    def spoke(self, speeches: tuple[Speech, ...], /) -> None:
        """One round's speeches beside each other; below them what the judge asked."""
        told: dict[Side, Text] = {one.side: spoken(one) for one in speeches if one.side != "judge"}
        self._sides(told, f"round {speeches[0].round}")
        for one in speeches:
            if one.side == "judge":
                title = Text("the judge asks")
                panel = Panel(spoken(one), title=title, title_align="left", border_style="yellow")
                self.console.print(panel)

    def judged(self, answer: Prefers | Abstains, /) -> None:
        self.console.print(_bar(answer))

    def closed(self, played: Transcript) -> Transcript:
        """Shows the verdict in both orders, and the quotes; gives the game back."""
        answer = played.answer
        side = f" for the {played.protagonist} answer" if played.protagonist else ""
        self.console.print(Text(f"verdict of {played.game}{side}", style="bold"))
        self.console.print(_bar(answer))
        if isinstance(answer, Prefers):
            self.console.print(_orders(answer))
        marks = [counted(one.text) for one in played.speeches]
        verified, other = sum(v for v, _ in marks), sum(u for _, u in marks)
        if verified or other:
            told = f"quotes: {verified} found in the source, {other} not found"
            self.console.print(Text(told, style="dim"))
        return played

    def replay(self, played: Transcript) -> None:
        """A game that was played before, as it was shown."""
        words = list(played.p)
        rounds = sorted({one.round for one in played.speeches})
        for number in (0, *rounds):
            now = tuple(one for one in played.speeches if one.round == number)
            if now:
                self.spoke(now)
            if words:
                p = words.pop(0)
                silent = Abstains(reason="none is on record")
                self.judged(silent if math.isnan(p) else Prefers(p_first=p))
        self.closed(played)

    def _sides(self, shown: Mapping[Side, Text], title: str) -> None:
        """The first on the left, the second on the right; where it is narrow, one below."""
        panels: list[RenderableType] = [
            _panel(side, shown[side], title) if side in shown else Text("") for side in SIDES
        ]
        if self.console.width < WIDE:
            self.console.print(Group(*(panel for panel in panels if isinstance(panel, Panel))))
            return
        grid = Table.grid(expand=True, padding=(0, 1))
        grid.add_column(ratio=1)
        grid.add_column(ratio=1)
        grid.add_row(*panels)
        self.console.print(grid)


def spoken(speech: Speech) -> Text:
    """A speech with its quotes marked, in colour and in words."""
    text = Text()
    for kind, words in pieces(speech.text):
        if kind == "text":
            text.append(visible(words))
        else:
            text.append(f"“{visible(words)}”", QUOTE[kind])
            text.append(MARK[kind], "dim")
    if speech.failed:
        text.append(f"\n(after {speech.drawn} draws: {visible(speech.failed)})", "dim italic")
    return text


def costs(ledger: Ledger) -> list[Text]:
    """A line for each model: calls, tokens, money; none where nothing was counted."""
    return [
        Text(
            f"{visible(one.judge)}: {one.calls:,} calls, {one.hits:,} replies from the cache, "
            f"{one.tokens_in:,} tokens read and {one.tokens_out:,} written, "
            + ("money unknown" if one.money is None else f"{one.money:.4g} spent"),
            style="dim",
        )
        for one in ledger.totals()
    ]


def _said(words: str, style: str = "") -> Text:
    return Text(visible(words), style=style)


def _panel(side: Side, shown: Text, title: str) -> Panel:
    named = Text(f"{side} · {title}")
    return Panel(shown, title=named, title_align="left", border_style=STYLE[side])


def _bar(answer: Prefers | Abstains) -> Text:
    """How probable the judge thinks each side."""
    if isinstance(answer, Abstains):
        return Text(f"the judge gives no answer: {visible(answer.reason)}", style="yellow")
    p = answer.p_first
    filled = round(BAR * p)
    text = Text("judge: ").append(f"first {p:.0%} ", STYLE["first"])
    text.append("█" * filled, STYLE["first"]).append("░" * (BAR - filled), STYLE["second"])
    return text.append(f" {1 - p:.0%} second", STYLE["second"])


def _orders(answer: Prefers) -> Text:
    """The verdict, and what it was in each order of the answers."""
    if answer.p_first == 0.5:
        won = "a tie"
    else:
        won = "the first answer" if answer.p_first > 0.5 else "the second answer"
    text = Text(f"→ {won}", style="bold")
    names = ("first shown as A", "second shown as A")
    shown = [f"{name} {p:.0%}" for name, p in zip(names, answer.orders, strict=False)]
    text.append(f"   p(first): {', '.join(shown)}", "dim")
    if len(answer.orders) > 1 and min(answer.orders) < 0.5 < max(answer.orders):
        text.append("   the orders disagree", "yellow")
    return text

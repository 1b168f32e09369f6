"""What came of a campaign, for a terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from solon.report.element import visible
from solon.report.figure import NONE, fixed
from solon.researchers.outcome import Outcome
from solon.researchers.page import verdict

WIDTH = 44


def closing(outcome: Outcome) -> Group:
    """The leaderboard, and what each method is worth elsewhere."""
    return Group(Text(visible(verdict(outcome))), _board(outcome), _transfer(outcome))


def remarks(outcome: Outcome) -> list[str]:
    """Alarms, and the trace with the hash that is to be kept elsewhere."""
    chain = outcome.chain
    rang = sum(bool(one.record.alarms) for one in outcome.submissions)
    whole = f"trace: {chain.rows} rows, head {chain.head}"
    return [
        f"{len(outcome.submissions)} submissions, {rang} with alarms",
        f"trace broken: {visible(chain.broken)}" if chain.broken else whole,
    ]


def _board(outcome: Outcome) -> Table:
    table = _table("agent", "best method by DEV", "told", "exact", "queries")
    exact = {one.record.digest: one.record.pgr for one in outcome.submissions}
    for one in outcome.standings:
        raw = exact.get(one.digest)
        shown = NONE if raw is None else fixed(raw, 3)
        label = _label(outcome, one.digest)
        table.add_row(Text(visible(one.agent)), label, fixed(one.pgr, 2), shown, str(one.queries))
    return table


def _transfer(outcome: Outcome) -> Table:
    """A row for each method, a column for each problem; PGR with its interval."""
    places = list(dict.fromkeys(one.place for one in outcome.transfer))
    table = _table("PGR of", *places)
    for digest in dict.fromkeys(one.digest for one in outcome.transfer):
        found = {one.place: one.pgr for one in outcome.transfer if one.digest == digest}
        cells = [
            Text(f"{fixed(pgr.estimate, 2)} ").append(
                f"{fixed(pgr.low, 2)} to {fixed(pgr.high, 2)}", "dim"
            )
            if (pgr := found.get(place))
            else Text(NONE)
            for place in places
        ]
        table.add_row(_label(outcome, digest), *cells)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        # Text, never str: rich would read the brackets of a name as markup
        table.add_column(Text(visible(name), "bold"))
    return table


def _label(outcome: Outcome, digest: str) -> Text:
    label = visible(outcome.labels.get(digest, digest[:12]))
    return Text(label if len(label) <= WIDTH else f"{label[: WIDTH - 1]}…")

"""The sections of a campaign's page: every text in them is escaped, whoever wrote it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

from solon.report.account import flat
from solon.report.element import Child, Html, h, said
from solon.report.figure import NONE, Quantity, figure, fixed, moment, span
from solon.report.plot import Series, plot
from solon.report.section import Absent, section, table
from solon.researchers.carried import named
from solon.researchers.outcome import Outcome, Submitted

PGR = Quantity(label="PGR")
BITS = Quantity(label="entropy of ideas", unit="bits")
MOST = 60  # posts and conversations that are shown


def board(outcome: Outcome) -> Html | Absent:
    """What agents were told, from the scorer's records alone, and what was true of it."""
    if not outcome.standings:
        return Absent(why="No leaderboard: the scorer released no score.")
    exact = {one.record.digest: one.record.pgr for one in outcome.submissions}
    directions = {one.name: one.direction.text for one in outcome.crew}
    rows: list[list[Child]] = [
        [
            [h("b", one.agent), h("small", directions.get(one.agent, ""))],
            named(outcome, one.digest),
            fixed(one.pgr, 2),
            _number(exact.get(one.digest)),
            str(one.queries),
        ]
        for one in outcome.standings
    ]
    columns = ("agent", "best method", "PGR told", "exact", "submissions")
    gap = next((one for one in outcome.gaps if one.part == "dev"), None)
    of = (
        f" On DEV weak has {fixed(gap.weak, 3)}, the ceiling {fixed(gap.ceiling, 3)}, over "
        f"{gap.rows:,} rows."
        if gap
        else ""
    )
    note = f"Told is rounded and passed a ladder; the exact score is the operator's alone.{of}"
    return section("Leaderboard", table(columns, rows, numbers=3), h("p", note, class_="faint"))


def over_time(outcome: Outcome) -> Html | Absent:
    """A plot for each agent: what it was told, and what was true, the operator's view."""
    agents = sorted({one.record.agent for one in outcome.submissions})
    drawn = [
        h(
            "div",
            h("h5", agent),
            _curve([s for s in outcome.submissions if s.record.agent == agent]),
        )
        for agent in agents
    ]
    if not drawn:
        return Absent(why="No scores over time: nothing was submitted yet.")
    whole = _over_minutes(outcome.submissions)
    note = "Told is an agent's best; exact is each submission's own score, which no agent saw."
    return section(
        "PGR over time", h("div", whole, drawn, class_="plots"), h("p", note, class_="faint")
    )


def ideas(outcome: Outcome) -> Html | Absent:
    """Families of embedded agents' ideas, round by round, and how many kinds there were."""
    rounds = list(zip_longest(*outcome.families.values()))
    if not rounds:
        return Absent(why="No families of ideas: there were no embedded agents.")
    counts = [Counter(one for one in each if one is not None) for each in rounds]
    kinds = sorted(set().union(*counts), key=lambda kind: -sum(each[kind] for each in counts))
    rows: list[list[Child]] = [
        [str(number), *(str(each[kind] or NONE) for kind in kinds)]
        for number, each in enumerate(counts, start=1)
    ]
    points = tuple((one.step + 1, one.bits.estimate) for one in outcome.diversity)
    band = tuple((one.step + 1, one.bits.low, one.bits.high) for one in outcome.diversity)
    drawn = (
        plot([Series(name="bits", points=points, band=band)], x="round", y=BITS)
        if len(points) > 1
        else None
    )
    note = (
        "Entropy is over the agents that were active in a round, with a 90 % bootstrap interval "
        "over them, which lies low where agents are few. Every first idea is the naive student. "
        "Models' ideas have no family, as nobody labels them."
    )
    return section(
        "Ideas",
        drawn,
        h("h3", "agents in each round, by the family of the idea"),
        table(("round", *kinds), rows, numbers=len(kinds)),
        h("p", note, class_="faint"),
    )


def alarms(outcome: Outcome) -> Html | Absent:
    """Which agent's which submission rang in which audit, by what value."""
    looked = [one for one in outcome.submissions if one.alarms or one.record.alarms]
    if not looked:
        return Absent(why="No audits: no submission came as far as one.")
    rows: list[list[Child]] = [
        [
            h("b", one.record.agent),
            h("span", f"▲ {alarm['audit']}", class_="chip warn"),
            [named(outcome, one.record.digest), h("small", str(alarm["says"]))],
            str(one.number),
            figure(alarm["value"], digits=3),
            figure(alarm["limit"], digits=3),
        ]
        for one in looked
        for alarm in one.alarms
        if alarm["rings"]
    ]
    rang = sum(bool(one.record.alarms) for one in looked)
    note = f"{rang} of {len(looked)} audited submissions rang; who rings is not told a new score."
    columns = ("agent", "audit", "method", "submission", "value", "limit")
    found = table(columns, rows, numbers=3) if rows else None
    return section("Alarms", found, h("p", note, class_="faint"))


def costs(outcome: Outcome) -> Html | Absent:
    """What each agent asked of the scorer, and what models read and wrote."""
    rows = [_cost(outcome, one.name) for one in outcome.crew]
    columns = ("agent", "submissions", "without a score", "runs", "in sandboxes", "read", "written")
    note = (
        "Runs are of methods, each in a sandbox of its own, audits included; read and written are "
        "tokens of language models."
    )
    return section("Costs", table(columns, rows, numbers=6), h("p", note, class_="faint"))


def conversations(outcome: Outcome) -> Html | Absent:
    """Of language models, as the trace has them."""
    if not outcome.sittings:
        return Absent(why="No conversations: no language model took part.")
    rows: list[list[Child]] = [
        [
            h("b", one.agent),
            moment(one.began),
            one.ended,
            span(one.seconds),
            str(one.turns),
            str(one.calls),
            f"{one.tokens_in:,}",
            f"{one.tokens_out:,}",
        ]
        for one in outcome.sittings[:MOST]
    ]
    columns = ("agent", "began", "ended", "took", "replies", "calls", "read", "written")
    left = _left(len(outcome.sittings))
    return section("Conversations", table(columns, rows, numbers=5), left)


def forum(outcome: Outcome) -> Html | Absent:
    """What agents told each other: text by authors who may be hostile."""
    if not outcome.posts:
        return Absent(why="No posts: the forum is empty.")
    shown = [
        h(
            "details",
            h("summary", f"{one.agent}, {one.kind}: {one.title}"),
            said(one.text, most=2000),
        )
        for one in outcome.posts[:MOST]
    ]
    return section("Forum", shown, _left(len(outcome.posts)))


def source(outcome: Outcome) -> Html | Absent:
    """Of the best method by DEV."""
    if not outcome.source:
        return Absent(why="No best method: the scorer released no score.")
    best = outcome.standings[0]
    told = h("p", f"By {best.agent}, ", named(outcome, best.digest), ".")
    return section("Best method", told, h("pre", outcome.source))


def trace(outcome: Outcome) -> Html | Absent:
    """Whether the chain of what everybody did is whole."""
    chain = outcome.chain
    if chain.broken:
        kept = h("p", h("span", "▲ broken", class_="chip warn"), f" {chain.broken}")
    else:
        whole = h("span", "✓ whole", class_="chip pass")
        kept = h(
            "p", whole, f" {chain.rows:,} rows; the last one's hash is ", h("code", chain.head)
        )
    note = "Keep the hash elsewhere: the chain alone cannot tell that its end was cut off."
    return section("Trace", kept, h("p", note, class_="faint"))


def settings(outcome: Outcome) -> Html | Absent:
    leaves: list[list[Child]] = [
        [h("code", key), text] for key, text in flat(outcome.manifest["settings"])
    ]
    return section("Settings", h("details", h("summary", "All"), table(("key", "value"), leaves)))


def _number(value: float | None) -> str:
    return NONE if value is None else fixed(value, 3)


def _curve(own: Sequence[Submitted]) -> Html:
    told = tuple((one.number, one.told) for one in own if one.told is not None)
    exact = tuple((one.number, one.record.pgr) for one in own if one.record.pgr is not None)
    series = [Series(name="exact", points=exact), Series(name="told", points=told)]
    drawn = [one for one in series if one.points]
    return plot(drawn, x="submission", y=PGR) if drawn else h("p", "No score.", class_="faint")


def _over_minutes(submissions: Sequence[Submitted]) -> Html | None:
    """The best exact score of all agents, against the time since the first answer."""
    timed = sorted(
        (one.time, one.record.pgr)
        for one in submissions
        if one.time is not None and one.record.pgr is not None
    )
    if len(timed) < 2:
        return None
    best, points = timed[0][1], list[tuple[float, float]]()
    for time, pgr in timed:
        best = max(best, pgr)
        points.append(((time - timed[0][0]) / 60, best))
    drawn = plot([Series(name="best", points=tuple(points))], x="minutes", y=PGR)
    return h("div", h("h5", "best of all agents, exact"), drawn)


def _cost(outcome: Outcome, agent: str) -> list[Child]:
    own = [one.record for one in outcome.submissions if one.record.agent == agent]
    talks = [one for one in outcome.sittings if one.agent == agent]
    tokens = [sum(one.tokens_in for one in talks), sum(one.tokens_out for one in talks)]
    return [
        h("b", agent),
        str(len(own)),
        str(sum(one.pgr is None for one in own)),
        f"{sum(one.runs for one in own):,}",
        span(sum(one.seconds for one in own)),
        *(f"{one:,}" if talks else NONE for one in tokens),
    ]


def _left(count: int) -> Html | None:
    return h("p", f"{MOST} of {count:,}.", class_="faint") if count > MOST else None

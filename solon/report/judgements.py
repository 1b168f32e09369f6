"""What the judges said: how often they abstained or changed with the order, and examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from solon.records import Abstains, Compare, Completion, Judgement, Prefers, Ranks, Rate, Scores
from solon.report.element import Child, Html, h, said
from solon.report.evidence import Evidence
from solon.report.figure import figure, fixed
from solon.report.plot import share
from solon.report.section import Absent, sampled, section, table

FIRST, DRAWN, FLIPS, REASONS = 4, 4, 4, 8
Told = Judgement[Any, Any]


def judgements(evidence: Evidence) -> Html | Absent:
    """Counts by judge, abstentions, a sample of each judge, the orders that disagree most."""
    names = [name for name in evidence.sets() if name.startswith("judgements")]
    found: list[Told] = [r for name in names for r in evidence.records(name) if _told(r)]
    if not found:
        return Absent(why="No judgements: records/judgements is empty.")
    judges = dict.fromkeys(told.judge for told in found)
    seed = int(evidence.manifest.get("seed", 0))
    return section(
        "Judgements",
        _counts(found),
        _abstentions(found),
        [_sample(judge, found, seed) for judge in judges],
        _flips(found),
    )


def flipped(told: Told) -> bool:
    """True where the two orders name different completions: one of them follows the position."""
    orders = told.answer.orders if isinstance(told.answer, Prefers) else ()
    return len(orders) > 1 and min(orders) < 0.5 < max(orders)


def _told(record: object) -> bool:
    return isinstance(record, Judgement)


def _gap(told: Told) -> float:
    orders = told.answer.orders if isinstance(told.answer, Prefers) else ()
    return max(orders, default=0.0) - min(orders, default=0.0)


def _counts(found: Sequence[Told]) -> Html:
    rows: list[list[Child]] = []
    for judge in dict.fromkeys(told.judge for told in found):
        own = [told for told in found if told.judge == judge]
        silent = sum(isinstance(told.answer, Abstains) for told in own)
        pairs = [told.answer for told in own if isinstance(told.answer, Prefers)]
        both = sum(len(answer.orders) > 1 for answer in pairs)
        firsts = sum(answer.p_first for answer in pairs) / len(pairs) if pairs else None
        rows.append(
            [
                judge,
                f"{len(own):,}",
                f"{silent:,}",
                f"{sum(map(flipped, own)):,} of {both:,}" if both else "–",
                "–" if firsts is None else figure(firsts, digits=3),
            ]
        )
    columns = ("judge", "judgements", "abstained", "orders disagree", "mean p(first)")
    return table(columns, rows, numbers=4)


def _abstentions(found: Sequence[Told]) -> Html | None:
    silent = [told for told in found if isinstance(told.answer, Abstains)]
    if not silent:
        return None
    reasons = Counter(told.answer.reason for told in silent)
    example = {told.answer.reason: told.raw for told in reversed(silent)}
    most = reasons.most_common(REASONS)
    rows = [[said(why, most=200), said(example[why], most=300), f"{n:,}"] for why, n in most]
    more = len(reasons) - len(most)
    return h(
        "div",
        h("h3", f"Abstentions: {len(silent):,} of {len(found):,}"),
        table(("reason", "an example of what was said", "times"), rows, numbers=1),
        h("p", f"{more:,} rarer reasons are not shown.", class_="faint") if more else None,
    )


def _sample(judge: str, found: Sequence[Told], seed: int) -> Html | None:
    """A few judgements of each judge, so that a rare one is seen beside a busy one."""
    own = [t for t in found if t.judge == judge and not isinstance(t.answer, Abstains)]
    if not own:
        return None
    shown = sampled(own, first=FIRST, drawn=DRAWN, seed=seed)
    told = f"{len(shown)} of {len(own):,} answers: the first {FIRST}, the others drawn by seed."
    cards = [_card(told) for told in shown]
    return h("div", h("h3", judge), h("p", told, class_="faint"), cards)


def _flips(found: Sequence[Told]) -> Html | None:
    turned = sorted((told for told in found if flipped(told)), key=_gap, reverse=True)
    if not turned:
        return None
    shown = turned[:FLIPS]
    head = h("h3", f"Orders that disagree most: {len(shown)} of {len(turned):,}")
    return h("div", head, [_card(told) for told in shown])


def _card(told: Told) -> Html:
    who = h("p", h("b", told.judge), f" by {told.principle}" if told.principle else None)
    reasons = [
        h("div", h("h5", name), said(text, most=800))
        for name, text in (("Rationale", told.rationale), ("As the judge wrote it", told.raw))
        if text
    ]
    why = h("details", h("summary", "Why"), reasons) if reasons else None
    return h("article", who, _question(told.question), _answer(told), why, class_="card")


def _question(question: Any) -> Html:
    if isinstance(question, Compare):
        shown = [("First", question.first), ("Second", question.second)]
    elif isinstance(question, Rate):
        shown = [("Completion", question.completion)]
    else:
        shown = [(str(k), completion) for k, completion in enumerate(question.completions, 1)]
    prompt = h("div", h("h5", "Prompt"), said(shown[0][1].prompt.text, most=600))
    return h("div", prompt, h("div", [_side(*side) for side in shown], class_="sides"))


def _side(name: str, completion: Completion) -> Html:
    title = h("h5", name, h("small", completion.policy))
    return h("div", title, said(completion.text, most=800))


def _answer(told: Told) -> Html:
    answer = told.answer
    if isinstance(answer, Prefers):
        orders = zip(("as asked", "swapped"), answer.orders, strict=False)
        chips = [h("span", f"{name} {fixed(p, 2)}", class_="chip") for name, p in orders]
        turn = h("span", "⇄ orders disagree", class_="chip warn") if flipped(told) else None
        label = f"p(first is better) = {fixed(answer.p_first, 2)}"
        return h("p", share(answer.p_first, label=label), label, chips, turn, class_="answer")
    if isinstance(answer, Scores):
        return h("p", f"score {figure(answer.value, digits=3)}", class_="answer")
    assert isinstance(answer, Ranks)
    order = " > ".join(str(k + 1) for k in answer.order)
    return h("p", f"best first: {order}", class_="answer")

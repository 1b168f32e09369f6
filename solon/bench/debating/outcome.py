"""What came of all games: the judge's accuracy where the truth is known, and the quotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from solon.bench.closing import cell_of
from solon.bench.debating.posing import Posed
from solon.bench.debating.protocols import Rules
from solon.bench.debating.rating import UNDECIDED, rated
from solon.oversight.consultancy import Consultancy
from solon.oversight.opened import Opened
from solon.oversight.quotes import counted
from solon.oversight.verdicts import Rights, accuracy, by_protagonist
from solon.records import Abstains, Transcript
from solon.statistics import proportion

Row = dict[str, Any]
UNKNOWN = "no row says which answer is right, so no accuracy is counted"


def summary(
    played: Sequence[Transcript],
    posed: Sequence[Posed],
    rules: Rules,
    *,
    swapped: Sequence[Transcript] = (),
) -> Row:
    """The closing table: a row for all games, and one for each kind of protagonist.

    ``swapped`` are the same questions with two debaters on each other's sides.
    """
    rights: Rights = {one.id: one.right for one in posed if one.right is not None}
    clusters = {one.id: one.cluster or one.id for one in posed}
    games = [*played, *swapped]
    rows: list[Row] = [
        {"name": name, "values": _measured(some, rights, clusters)}
        for name, some in _parts(games, rights, rules)
        if some
    ]
    notes = _notes(games, posed, rules)
    if swapped:
        rows[0]["values"] = rated(played, swapped, clusters) | rows[0]["values"]
        notes += ["win rate: of the debater against the opponent, each question played both ways"]
        notes += [UNDECIDED]
    columns = list(dict.fromkeys(column for row in rows for column in row["values"]))
    return {"columns": columns, "rows": rows, "notes": notes}


def quotes(played: Sequence[Transcript]) -> tuple[int, int]:
    """How many quotes the source has word for word, and how many it does not."""
    found = [counted(speech.text) for one in played for speech in one.speeches]
    return sum(v for v, _ in found), sum(u for _, u in found)


def _parts(
    played: Sequence[Transcript], rights: Rights, rules: Rules
) -> list[tuple[str, Sequence[Transcript]]]:
    """All games, and apart by whether the protagonist argued for the right answer."""
    whole = [(rules.id.partition("@")[0], played)]
    if not isinstance(rules, Consultancy | Opened) or not rights:
        return whole
    who = "consultant" if isinstance(rules, Consultancy) else "protagonist"
    split = by_protagonist([one for one in played if _id(one) in rights], rights)
    return [*whole, (f"{who} was right", split[True]), (f"{who} was wrong", split[False])]


def _measured(
    played: Sequence[Transcript], rights: Rights, clusters: Mapping[str, str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    known = [one for one in played if _id(one) in rights]
    if known:
        found["judge accuracy"] = cell_of(accuracy(known, rights, clusters=clusters))
    groups = [clusters[_id(one)] for one in played]
    silent = [float(isinstance(one.answer, Abstains)) for one in played]
    found["no verdict rate"] = cell_of(proportion(silent, groups))
    real = [(quotes([one]), clusters[_id(one)]) for one in played]
    each = [(bit, group) for (v, u), group in real for bit in (1.0,) * v + (0.0,) * u]
    if each:
        bits, of = zip(*each, strict=True)
        found["verified quote rate"] = cell_of(proportion(bits, of))
    return found


def _notes(played: Sequence[Transcript], posed: Sequence[Posed], rules: Rules) -> list[str]:
    known = sum(one.right is not None for one in posed)
    told = [f"{len(played):,} games about {len(posed):,} questions"]
    if isinstance(rules, Consultancy):
        told.append("each question was argued for by both sides, which count the same")
    verified, other = quotes(played)
    if verified or other:
        told.append(f"{verified:,} quotes were found in the source, {other:,} were not")
    if not known:
        told.append(UNKNOWN)
    elif known < len(posed):
        told.append(f"accuracy is of the {known:,} questions whose right answer is known")
    if known:
        told.append("a game without a verdict counts as wrong")
    return told


def _id(one: Transcript) -> str:
    return one.question.first.prompt.id

from __future__ import annotations

import re

from rich.console import Console

from solon.report.closing import Closing, verdict
from solon.report.console import closing_table


def summary(**values: object) -> dict[str, object]:
    base = {"gold": {"estimate": 0.4, "low": 0.35, "high": 0.45, "n": 100}}
    rows = [{"name": "SFT", "values": base}, {"name": "RLAIF", "values": values}]
    return {"columns": ["gold", "win rate"], "rows": rows, "notes": ["95 % [intervals]"]}


def cell(estimate: float, half: float) -> dict[str, float]:
    return {"estimate": estimate, "low": estimate - half, "high": estimate + half, "n": 100}


def told(**values: object) -> str:
    return verdict(Closing.of(summary(**values)))


def test_overlapping_intervals_show_no_difference() -> None:
    assert "cannot be told from that of SFT" in told(gold=cell(0.48, 0.05))


def test_a_lower_gold_is_called_lower() -> None:
    assert "is lower than that of SFT" in told(gold=cell(0.2, 0.05))


def test_gold_without_an_interval_is_not_compared() -> None:
    words = told(gold={"estimate": 0.9})
    assert "without intervals" in words
    assert "higher" not in words


def test_a_win_rate_across_one_half_is_not_a_win() -> None:
    assert "cannot be told from even" in told(**{"win rate, equal length": cell(0.53, 0.06)})
    assert "is below even against SFT" in told(**{"win rate": cell(0.3, 0.06)})


def test_one_row_compares_nothing() -> None:
    alone = {"columns": [], "rows": [{"name": "SFT", "values": {}}], "notes": []}
    assert verdict(Closing.of(alone)) == "There is one row only, so nothing is compared."


def test_a_run_of_many_measures_fits_a_terminal_of_eighty_columns() -> None:
    names = [f"measure {k}" for k in range(14)]
    rows = [{"name": name, "values": {m: cell(0.5, 0.1) for m in names}} for name in ("sft", "x")]
    console = Console(width=80)
    with console.capture() as shown:
        console.print(closing_table({"columns": names, "rows": rows, "notes": []}))
    assert "…" not in shown.get()
    assert shown.get().count("0.400 to 0.600") == 28


def test_the_terminal_shows_estimates_intervals_and_notes() -> None:
    console = Console(width=100)
    with console.capture() as shown:
        console.print(
            closing_table(summary(gold=cell(0.61, 0.03), **{"win rate": cell(0.7, 0.05)}))
        )
    text = shown.get()
    assert re.search(r"gold +0\.400 +0\.350 to 0\.450 +0\.610 +0\.580 to 0\.640", text)
    assert re.search(r"win rate \(%\) +– +70\.0 +65\.0 to 75\.0", text)
    assert "95 % [intervals]" in text


def test_markup_and_escape_codes_in_names_stay_text() -> None:
    hostile = summary(gold=cell(0.5, 0.1))
    hostile["rows"][1]["name"] = "[red]x\x1b[2J"  # type: ignore[index]
    console = Console(width=80)
    with console.capture() as shown:
        console.print(closing_table(hostile))
    assert "[red]x⟨U+001B⟩[2J" in shown.get()

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from solon.audits.sections import Sections
from solon.errors import DataError, InputError
from solon.judges.sections import Graded, read_graded
from solon.records import Finding

SUBSETS = {
    "alpacaeval-easy": ("Chat", 100, True),
    "mt-bench-med": ("Chat", 40, False),
    "llmbar-natural": ("Chat Hard", 100, False),
    "llmbar-adver-GPTOut": ("Chat Hard", 47, False),
    "math-prm": ("Reasoning", 447, True),
    "hep-go": ("Reasoning", 164, True),
}


def graded(
    accuracy: dict[str, float] | float, *, longer_pays: float = 0.0, seed: int = 0
) -> list[Graded]:
    """Pairs of RewardBench's sizes; a judge that likes length gains where better is longer."""
    rng = np.random.default_rng(seed)
    made: list[Graded] = []
    for subset, (section, size, longer) in SUBSETS.items():
        base = accuracy if isinstance(accuracy, float) else accuracy[subset]
        p = base + (longer_pays / 2 if longer else -longer_pays / 2)
        for k in range(size):
            lengths = (300, 100) if longer else (100, 300)
            won = float(rng.random() < p)
            name = f"{subset}{k}"
            made.append(
                Graded(id=name, subset=subset, section=section, won=won, cluster=name,
                       len_chosen=lengths[0], len_rejected=lengths[1])
            )  # fmt: skip
    return made


def by_name(found: Sequence[Finding]) -> dict[str, Finding]:
    return {one.quantity: one for one in found}


def test_sections_are_weighed_by_pairs_and_the_whole_by_sections() -> None:
    accuracy = dict.fromkeys(SUBSETS, 1.0) | {"mt-bench-med": 0.0, "hep-go": 0.0}
    found = by_name(Sections().recorded(graded(accuracy)))
    assert found["section/Chat"].estimate == pytest.approx(100 / 140)
    assert found["section/Chat Hard"].estimate == 1.0
    # math-prm's 447 pairs count as 984, the code's 164 as they are
    assert found["section/Reasoning"].estimate == pytest.approx(984 / (984 + 164))
    assert "counts as 984 pairs, it has 447" in found["section/Reasoning"].note
    mean = (100 / 140 + 1.0 + 984 / 1148) / 3
    assert found["overall"].estimate == pytest.approx(mean)


def test_a_section_without_a_mistake_keeps_a_width() -> None:
    found = by_name(Sections().recorded(graded(1.0)))
    assert found["overall"].estimate == 1.0
    assert found["section/Chat"].low < found["overall"].low < 1.0


def test_a_weak_judge_warns_and_a_strong_one_passes() -> None:
    weak = by_name(Sections().recorded(graded(0.5)))["overall"]
    strong = by_name(Sections().recorded(graded(0.85)))["overall"]
    assert (weak.verdict, strong.verdict) == ("warn", "pass")
    assert strong.low < 0.85 < strong.high


def test_the_planted_length_bias_is_recovered_and_other_dials_do_not_move_it() -> None:
    fond = by_name(Sections().recorded(graded(0.6, longer_pays=0.5)))["length_index"]
    fair = by_name(Sections().recorded(graded(0.6)))["length_index"]
    assert fond.low < 0.5 < fond.high
    assert fond.verdict == "warn"
    assert fair.low < 0 < fair.high
    assert fair.verdict in ("pass", "inconclusive")


def test_ties_are_wrong_or_half_and_no_verdict_is_wrong() -> None:
    ties = [Graded(id=str(k), subset="a", section="A", won=0.5) for k in range(40)]
    silent = [Graded(id=f"s{k}", subset="a", section="A", won=None) for k in range(10)]
    wrong = by_name(Sections().recorded(ties + silent))
    half = by_name(Sections(ties="half").recorded(ties + silent))
    assert wrong["overall"].estimate == 0.0
    assert half["overall"].estimate == pytest.approx(0.4)
    assert half["abstained"].estimate == 0.2


def test_without_lengths_there_is_no_length_index() -> None:
    rows = [Graded(id=str(k), subset="a", section="A", won=1.0) for k in range(40)]
    found = by_name(Sections().recorded(rows))["length_index"]
    assert found.n == 40
    assert np.isnan(found.estimate)
    assert found.verdict == "measured"


def test_a_subset_in_two_sections_is_an_error() -> None:
    rows = [Graded(id=s, subset="a", section=s, won=1.0) for s in ("A", "B")]
    with pytest.raises(InputError, match="'a' in 'A' and 'B'"):
        Sections().recorded(rows)


def test_rows_give_a_verdict_or_two_scores(tmp_path: Path) -> None:
    path = tmp_path / "graded.jsonl"
    lines = [
        {"id": 1, "subset": "hep-go", "score_chosen": 0.3, "score_rejected": 0.1},
        {"id": 2, "subset": "hep-go", "score_chosen": 0.1, "score_rejected": 0.1},
        {"id": 3, "subset": "mine", "section": "Mine", "won": None},
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    assert [(one.section, one.won) for one in read_graded(path)] == [
        ("Reasoning", 1.0),
        ("Reasoning", 0.5),
        ("Mine", None),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "1", "subset": "mine", "won": 1}, "section.*no subset of RewardBench"),
        ({"id": "1", "subset": "hep-go"}, "won.*score_chosen and score_rejected"),
        ({"id": "1", "subset": "hep-go", "won": 2}, "won.*from 0 to 1"),
        ({"subset": "hep-go", "won": 1}, "id"),
    ],
)
def test_a_bad_graded_row_names_its_field(tmp_path: Path, row: dict, said: str) -> None:
    path = tmp_path / "graded.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(DataError, match=rf"row 1.*{said}"):
        read_graded(path)


@pytest.mark.data
def test_gpt4_on_llmbar_has_the_published_accuracy_and_sections_by_its_own_lengths(
    data: Path,
) -> None:
    """Published: GPT-4/Vanilla 95.5 on Natural, both orders averaged, no verdict counted wrong."""
    with gzip.open(data / "llmbar" / "judgments_condensed.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    asked = [one for one in rows if one["evaluator"] == "GPT-4/Vanilla"]
    found = by_name(Sections().recorded([g for one in asked for g in _both_orders(one)]))
    assert found["subset/LLMBar/Natural"].estimate == pytest.approx(0.955)
    assert found["subset/LLMBar/Natural"].n == 200
    # which kind a subset is of is measured: Normal's better ones are longer, Constraint's shorter
    told = "better is longer in 118 pairs' subsets, shorter in 296's"
    assert found["length_index"].note == told
    assert found["length_index"].verdict == "warn"


def _both_orders(one: dict) -> list[Graded]:
    lengths = (one["len_1"], one["len_2"])
    best = int(one["label"]) - 1
    return [
        Graded(
            id=f"{one['subset']}{one['i']}{order}",
            cluster=f"{one['subset']}{one['i']}",
            subset=one["subset"],
            section=one["subset"].partition("/")[0],
            won=None if said is None else float(str(said) == str(one["label"])),
            len_chosen=lengths[best],
            len_rejected=lengths[1 - best],
        )
        for order, said in (("12", one["winner_order12"]), ("21", one["winner_order21"]))
    ]
